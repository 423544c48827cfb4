//! The latest record of each server, by machine, and waiting for a machine's to change.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use bus::{Position, Record, Stream};
use events::{CommandRecord, MachineName, PARTITIONS, sha256};
use tokio::sync::watch;
use tokio::time::{Duration, sleep};

use crate::app::App;
use crate::problem::Problem;

const PAUSE: Duration = Duration::from_secs(1);

/// All machines' records.
#[derive(Default)]
pub(crate) struct Board {
    places: Mutex<BTreeMap<MachineName, Place>>,
    read: AtomicBool,
}

#[derive(Default)]
struct Place {
    /// By server: `production/checkout/web1`.
    records: BTreeMap<String, CommandRecord>,
    changes: watch::Sender<()>,
}

impl Board {
    /// Whether every record that there was at the start has been read: before that, an old one
    /// could be shown as the latest.
    pub(crate) fn ready(&self) -> Result<(), Problem> {
        if self.read.load(Ordering::Acquire) {
            Ok(())
        } else {
            Err(Problem::not_ready("the commands"))
        }
    }

    /// A machine's records, and the name of this very state of them.
    pub(crate) fn records(&self, machine: &MachineName) -> (Vec<CommandRecord>, String) {
        let places = self.lock();
        let records: Vec<CommandRecord> = places
            .get(machine)
            .map(|place| place.records.values().cloned().collect())
            .unwrap_or_default();
        let bytes: Vec<u8> = records.iter().flat_map(CommandRecord::to_bytes).collect();
        (records, sha256(&bytes).short())
    }

    /// Whether a server is on a machine.
    pub(crate) fn has(&self, machine: &MachineName, key: &str) -> bool {
        let places = self.lock();
        places
            .get(machine)
            .is_some_and(|place| place.records.contains_key(key))
    }

    /// Tells of every change of a machine's records from now on.
    pub(crate) fn changes(&self, machine: &MachineName) -> watch::Receiver<()> {
        let mut places = self.lock();
        let place = places.entry(machine.clone()).or_default();
        place.changes.subscribe()
    }

    /// Has the polls of a machine look again, though no record of it changed.
    pub(crate) fn wake(&self, machine: &MachineName) {
        if let Some(place) = self.lock().get(machine) {
            place.changes.send_replace(());
        }
    }

    fn put(&self, record: CommandRecord) {
        let key = record.key();
        let mut places = self.lock();
        for (machine, place) in places.iter_mut() {
            if machine != record.machine() && place.records.remove(&key).is_some() {
                place.changes.send_replace(());
            }
        }
        let place = places.entry(record.machine().clone()).or_default();
        place.records.insert(key, record);
        place.changes.send_replace(());
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<MachineName, Place>> {
        self.places.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Keeps the board as the stream of commands is. Ends when the bus is closed.
pub(crate) async fn follow(app: &App) {
    loop {
        match follow_once(app).await {
            Ok(()) | Err(bus::Error::Closed) => return,
            Err(error) => {
                tracing::warn!(%error, "cannot follow the commands, will try again");
                sleep(PAUSE).await;
            }
        }
    }
}

async fn follow_once(app: &App) -> Result<(), bus::Error> {
    let partitions: Vec<u32> = (0..PARTITIONS).collect();
    let mut commands = app
        .bus
        .follow(Stream::Commands, &partitions, &Position::Start)?;
    for record in commands.catch_up().await? {
        put(app, &record);
    }
    app.board.read.store(true, Ordering::Release);
    loop {
        for record in commands.next_batch(256, Duration::from_secs(60)).await? {
            put(app, &record);
        }
    }
}

fn put(app: &App, record: &Record) {
    match CommandRecord::from_bytes(&record.value) {
        Ok(command) => app.board.put(command),
        Err(error) => tracing::error!(key = record.key, %error, "command passed over"),
    }
}
