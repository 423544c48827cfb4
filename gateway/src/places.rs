//! Where the events of each target lie in the log, so that a page of a history costs what a page is.
//!
//! A partition is read when it is asked for the first time, and from then on only what has come
//! since. 16 bytes are kept for each event; a restart forgets them.

use std::collections::BTreeMap;
use std::time::Duration;

use bus::{Bus, Position, Record, Stream};
use events::Envelope;
use prometheus::IntCounter;
use tokio::sync::Mutex;

const BATCH: usize = 1000;

/// The places of all events of the partitions that were asked for.
#[derive(Debug, Default)]
pub(crate) struct Places {
    partitions: Mutex<BTreeMap<u32, Read>>,
}

/// A page of a subject's events, and whether there are more behind it.
#[derive(Debug, Default)]
pub(crate) struct Page {
    pub(crate) records: Vec<Record>,
    pub(crate) more: bool,
}

/// A partition as far as it was read.
#[derive(Debug, Default)]
struct Read {
    to: Option<u64>,
    /// Number and offset of each event, by the key of its records.
    events: BTreeMap<String, Vec<(u64, u64)>>,
}

impl Places {
    /// The events of `key` after number `after`, at most `limit`. `read` counts the records that
    /// were read for it.
    pub(crate) async fn page(
        &self,
        bus: &Bus,
        (partition, key): (u32, &str),
        after: u64,
        limit: usize,
        read: &IntCounter,
    ) -> Result<Page, bus::Error> {
        let mut partitions = self.partitions.lock().await;
        let places = partitions.entry(partition).or_default();
        places.catch_up(bus, partition, read).await?;
        let Some(events) = places.events.get(key) else {
            return Ok(Page::default());
        };
        let begin = events.partition_point(|(n, _)| *n <= after);
        let wanted = events.iter().skip(begin).take(limit);
        let offsets: Vec<u64> = wanted.map(|(_, offset)| *offset).collect();
        let more = events.len() - begin > offsets.len();
        drop(partitions);
        let records = bus.read(Stream::Events, partition, offsets).await?;
        read.inc_by(records.len() as u64);
        Ok(Page { records, more })
    }
}

impl Read {
    async fn catch_up(
        &mut self,
        bus: &Bus,
        partition: u32,
        read: &IntCounter,
    ) -> Result<(), bus::Error> {
        let end = bus.end(Stream::Events, partition).await?;
        if self.to >= end {
            return Ok(());
        }
        let from = Position::after(partition, self.to);
        let mut events = bus.follow(Stream::Events, &[partition], &from)?;
        while self.to < end {
            let batch = events.next_batch(BATCH, Duration::ZERO).await?;
            read.inc_by(batch.len() as u64);
            batch.iter().for_each(|record| self.note(record));
            self.to = events.position(partition);
        }
        Ok(())
    }

    /// What cannot be read is left out; the orchestrator is who stops at it.
    fn note(&mut self, record: &Record) {
        let envelope = Envelope::from_headers(&record.headers).ok();
        let Some(n) = envelope.and_then(|envelope| envelope.n) else {
            return;
        };
        let events = self.events.entry(record.key.clone()).or_default();
        if events.last().is_none_or(|(last, _)| *last < n) {
            events.push((n, record.offset));
        }
    }
}
