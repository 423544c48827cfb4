//! Reports that the owner did not take, and why: for whoever waits for what came of one. In memory
//! alone, and only the youngest: they stand in the log, too.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bus::{Position, Record, Stream};
use events::{Envelope, PARTITIONS, ReportId};
use tokio::sync::watch;
use tokio::time::sleep;

use crate::app::App;

/// How many are kept.
const KEPT: usize = 1_000;

/// The header in which the owner says why.
const WHY: &str = "poolshift-refused";

/// Before the next try to follow them.
const PAUSE: Duration = Duration::from_secs(1);

/// The youngest refusals, the oldest first.
#[derive(Debug, Default)]
pub(crate) struct Refusals {
    known: watch::Sender<VecDeque<(ReportId, String)>>,
    follows: AtomicBool,
}

impl Refusals {
    /// Why a report was not taken, as soon as that is known: for ever, for one that is taken.
    pub(crate) async fn of(&self, report: ReportId) -> Option<String> {
        let find = |known: &VecDeque<(ReportId, String)>| {
            let found = known.iter().rev().find(|(id, _)| *id == report);
            found.map(|(_, why)| why.clone())
        };
        let mut known = self.known.subscribe();
        let known = known.wait_for(|known| find(known).is_some()).await;
        find(&*known.ok()?)
    }

    /// Whether every refusal from now on will be known.
    pub(crate) fn is_ready(&self) -> bool {
        self.follows.load(Ordering::Acquire)
    }

    fn note(&self, records: &[Record]) {
        let fresh: Vec<(ReportId, String)> = records.iter().filter_map(refusal).collect();
        if fresh.is_empty() {
            return;
        }
        self.known.send_modify(|known| {
            known.extend(fresh);
            let over = known.len().saturating_sub(KEPT);
            known.drain(..over);
        });
    }
}

fn refusal(record: &Record) -> Option<(ReportId, String)> {
    let envelope = Envelope::from_headers(&record.headers).ok()?;
    let mut headers = record.headers.iter();
    let (_, why) = headers.find(|(name, _)| name == WHY)?;
    Some((ReportId::new(envelope.id), why.clone()))
}

/// Notes what is refused from now on. Ends when the bus is closed.
pub(crate) async fn follow(app: &App) {
    loop {
        match follow_once(app).await {
            Ok(()) | Err(bus::Error::Closed) => return,
            Err(error) => {
                tracing::warn!(%error, "cannot follow what is refused, will try again");
                sleep(PAUSE).await;
            }
        }
    }
}

async fn follow_once(app: &App) -> Result<(), bus::Error> {
    let mut ends = std::collections::BTreeMap::new();
    for partition in 0..PARTITIONS {
        if let Some(offset) = app.bus.end(Stream::Rejected, partition).await? {
            ends.insert(partition, offset);
        }
    }
    let partitions: Vec<u32> = (0..PARTITIONS).collect();
    let from = Position::After(ends);
    let mut rejected = app.bus.follow(Stream::Rejected, &partitions, &from)?;
    app.refusals.follows.store(true, Ordering::Release);
    loop {
        let records = rejected.next_batch(256, Duration::from_secs(60)).await?;
        app.refusals.note(&records);
    }
}
