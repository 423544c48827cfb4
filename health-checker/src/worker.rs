//! Follows the commands, runs their checks side by side, and reports.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use bus::{Bus, Follower, Position, Stream};
use events::{
    Answer, BalancerName, Command, CommandRecord, CommandRefused, PARTITIONS, RefusedBecause,
    Target, Work,
};
use tokio::sync::Semaphore;
use tokio::sync::watch::Receiver;
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::{Instant, sleep};

use crate::check;
use crate::desk::{Act, Desk};
use crate::haproxy::StatsSocket;
use crate::probe::Prober;
use crate::reporter::Reporter;
use crate::time::{end, now};
use crate::watch::{self, Sockets};

const POLL: Duration = Duration::from_secs(5);

/// From one try to read commands to the next.
const RETRY_LAST: Duration = Duration::from_secs(5);

/// Settings of health-checker.
#[derive(Debug, Clone, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// The name of this instance, as reports give it.
    pub instance: String,
    /// How many checks run side by side; the others wait, within their own time.
    pub parallel: usize,
    /// Where each balancer's counters are read: its name, and its `stats socket .. level user` as
    /// the path of a Unix socket or as `tcp:HOST:PORT`. Never the admin socket.
    pub stats_sockets: BTreeMap<BalancerName, String>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            instance: "1".to_owned(),
            parallel: 32,
            stats_sockets: BTreeMap::new(),
        }
    }
}

/// Carries out the checks of all partitions until `shutdown` is true. Checks that run then are
/// dropped: whoever starts next finds their commands and checks anew.
///
/// # Errors
/// When the client cannot be made or the commands cannot be followed at all. Everything that fails
/// later is tried again.
pub async fn run(settings: Settings, bus: Bus, mut shutdown: Receiver<bool>) -> anyhow::Result<()> {
    let partitions: Vec<u32> = (0..PARTITIONS).collect();
    let mut follower = bus
        .follow(Stream::Commands, &partitions, &Position::Start)
        .context("health-checker cannot follow the commands")?;
    let mut worker = Worker::new(&settings, bus)?;
    tokio::select! {
        () = worker.work(&mut follower) => Ok(()),
        // An error is the end of the sender: whoever could ask for a shutdown is gone.
        _ = shutdown.wait_for(|ending| *ending) => Ok(()),
    }
}

struct Worker {
    prober: Prober,
    sockets: Sockets,
    reporter: Reporter,
    desk: Desk,
    permits: Arc<Semaphore>,
    running: BTreeMap<String, AbortHandle>,
    tasks: JoinSet<Option<(String, Answer)>>,
}

impl Worker {
    fn new(settings: &Settings, bus: Bus) -> anyhow::Result<Self> {
        Ok(Self {
            prober: Prober::new()?,
            sockets: Arc::new(sockets(settings)),
            reporter: Reporter {
                bus,
                instance: settings.instance.clone(),
            },
            desk: Desk::default(),
            permits: Arc::new(Semaphore::new(settings.parallel.max(1))),
            running: BTreeMap::new(),
            tasks: JoinSet::new(),
        })
    }

    /// Reads to the end, then acts; ends when the bus is closed.
    async fn work(&mut self, follower: &mut Follower) {
        let Some(records) = until_read(follower).await else {
            return;
        };
        let mut latest = BTreeMap::new();
        for record in records.iter().filter_map(read) {
            match self.desk.take(&record) {
                Act::Nothing => {}
                act @ Act::Refuse { .. } => self.act(&record, act),
                act @ (Act::Stop | Act::Begin(_) | Act::Repeat(_)) => {
                    latest.insert(record.key(), (record, act));
                }
            }
        }
        for (record, act) in latest.into_values() {
            self.act(&record, act);
        }
        loop {
            tokio::select! {
                records = follower.next_batch(256, POLL) => match records {
                    Ok(records) => {
                        for record in records.iter().filter_map(read) {
                            let act = self.desk.take(&record);
                            self.act(&record, act);
                        }
                    }
                    Err(bus::Error::Closed) => return,
                    Err(error) => {
                        tracing::warn!(%error, "cannot read commands, will try again");
                        sleep(RETRY_LAST).await;
                    }
                },
                Some(done) = self.tasks.join_next() => {
                    if let Ok(Some((key, answer))) = done {
                        self.desk.answered(&key, answer);
                    }
                }
            }
        }
    }

    fn act(&mut self, record: &CommandRecord, act: Act) {
        let key = record.key();
        let target = record.target().clone();
        match act {
            Act::Nothing => {}
            Act::Stop => self.stop(&key),
            Act::Begin(command) => {
                self.stop(&key);
                let task = self.begin(key.clone(), target, *command);
                self.running.insert(key, task);
            }
            Act::Repeat(answer) => {
                self.stop(&key);
                let task = self.tell(target, record, *answer);
                self.running.insert(key, task);
            }
            Act::Refuse { command, highest } => {
                let refusal = CommandRefused {
                    command,
                    reason: RefusedBecause::Stale,
                    highest,
                };
                self.tell(target, record, Answer::CommandRefused(refusal));
            }
        }
    }

    fn begin(&mut self, key: String, target: Target, command: Command) -> AbortHandle {
        let end = end(&command, now(), Instant::now());
        let (prober, reporter) = (self.prober.clone(), self.reporter.clone());
        let (permits, sockets) = (Arc::clone(&self.permits), Arc::clone(&self.sockets));
        self.tasks.spawn(async move {
            let answer = if let Work::Watch(work) = &command.work {
                // It mostly waits: it takes no check's place.
                watch::verdict(&sockets, &reporter, &command, work, end).await
            } else {
                let permit = permits.acquire().await;
                let answer = check::verdict(&prober, &command, end).await;
                drop(permit);
                answer
            };
            let traceparent = command.traceparent.clone();
            reporter.say(&target, traceparent, answer.clone()).await;
            Some((key, answer))
        })
    }

    fn tell(&mut self, target: Target, record: &CommandRecord, answer: Answer) -> AbortHandle {
        let reporter = self.reporter.clone();
        let traceparent = record.command().and_then(|one| one.traceparent.clone());
        self.tasks.spawn(async move {
            reporter.say(&target, traceparent, answer).await;
            None
        })
    }

    fn stop(&mut self, key: &str) {
        if let Some(task) = self.running.remove(key) {
            task.abort();
        }
    }
}

fn sockets(settings: &Settings) -> BTreeMap<BalancerName, StatsSocket> {
    let named = settings.stats_sockets.iter();
    named
        .map(|(name, text)| (name.clone(), StatsSocket::of(text)))
        .collect()
}

/// Everything that stands in the stream now; `None` when the bus was closed.
async fn until_read(follower: &mut Follower) -> Option<Vec<bus::Record>> {
    loop {
        match follower.catch_up().await {
            Ok(records) => return Some(records),
            Err(bus::Error::Closed) => return None,
            Err(error) => {
                tracing::warn!(%error, "cannot read commands to their end, will try again");
                sleep(RETRY_LAST).await;
            }
        }
    }
}

/// A record that this build cannot read is left alone: the orchestrator's deadline answers it.
fn read(record: &bus::Record) -> Option<CommandRecord> {
    CommandRecord::from_bytes(&record.value)
        .inspect_err(|error| tracing::error!(key = record.key, %error, "command passed over"))
        .ok()
}
