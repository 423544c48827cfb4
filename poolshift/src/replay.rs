//! Decides everything in a log again, and compares: the recorded inputs must give the same events,
//! byte for byte. Verifies the hash chains on the way.
//!
//! One decision of a target is a run of events with the same cause, time and epoch. Its input is
//! the report that is its cause, a take-over, or the clock.

mod inputs;
mod subject;

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use anyhow::Context as _;
use bus::{Bus, PARTITIONS, Position, Record, Stream};
use events::{Digest, Envelope, Subject};
use serde::Serialize;

use inputs::Inputs;
use subject::Replay;

const BATCH: usize = 1_000;

/// What a replay found.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Replayed {
    /// Decisions that came out the same.
    pub same: u64,
    /// Decisions whose report is gone, or which another version of the rules made.
    pub skipped: u64,
    /// The first thing that is not as it should be.
    pub differs: Option<Difference>,
    /// The end of each subject's chain.
    pub heads: Vec<Head>,
}

/// The end of a chain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Head {
    /// Whose.
    pub subject: String,
    /// Number of its last event.
    pub n: u64,
    /// What the next event would name as the one before it.
    pub sha256: Digest,
}

/// A decision that came out otherwise, or a chain that does not hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// Of which target or machine.
    pub subject: String,
    /// The first event of the decision.
    pub n: u64,
    /// What is wrong.
    pub what: String,
    /// Events as they stand in the log: type and body.
    pub recorded: Vec<String>,
    /// Events as they are decided now.
    pub decided: Vec<String>,
}

impl Replayed {
    /// Whether nothing differs.
    #[must_use]
    pub const fn is_same(&self) -> bool {
        self.differs.is_none()
    }
}

impl fmt::Display for Replayed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for head in &self.heads {
            let Head { subject, n, sha256 } = head;
            writeln!(f, "{subject}: {n} events, head {sha256}")?;
        }
        if self.skipped > 0 {
            let skipped = self.skipped;
            writeln!(
                f,
                "skipped: {skipped} decisions, whose report is gone or whose rules were others"
            )?;
        }
        match &self.differs {
            None => write!(f, "same: {} decisions", self.same),
            Some(difference) => write!(f, "{difference}"),
        }
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            subject,
            n,
            what,
            recorded,
            decided,
        } = self;
        write!(f, "differs: event {n} of {subject}: {what}")?;
        for (label, events) in [("recorded", recorded), ("decided", decided)] {
            for event in events {
                write!(f, "\n  {label}: {event}")?;
            }
        }
        Ok(())
    }
}

/// Replays a log that no process writes to.
///
/// # Errors
/// When the log cannot be read.
pub async fn replay(bus: &Bus) -> anyhow::Result<Replayed> {
    let mut replayed = Replayed::default();
    for partition in 0..PARTITIONS {
        let inputs = Inputs::read(bus, partition).await?;
        let subjects = events(bus, partition).await?;
        for (subject, records) in subjects {
            let mut replay = Replay::new(&inputs);
            let difference = replay.all(&subject, &records).err();
            replayed.same += replay.same;
            replayed.skipped += replay.skipped;
            replayed.heads.extend(replay.head(&subject));
            if let Some(difference) = difference {
                replayed.differs.get_or_insert(*difference);
            }
        }
    }
    replayed.heads.sort_by(|a, b| a.subject.cmp(&b.subject));
    Ok(replayed)
}

/// The events of a partition, by their subject, each with its envelope.
async fn events(
    bus: &Bus,
    partition: u32,
) -> anyhow::Result<BTreeMap<Subject, Vec<(Envelope, Record)>>> {
    let mut subjects: BTreeMap<Subject, Vec<(Envelope, Record)>> = BTreeMap::new();
    for record in all(bus, Stream::Events, partition).await? {
        let envelope = Envelope::from_headers(&record.headers).with_context(|| {
            let offset = record.offset;
            format!("event at offset {offset} of partition {partition} is none of ours")
        })?;
        // Who owned the partition when: no decision of the brain, and not numbered.
        if !matches!(envelope.subject, Subject::Partition(_)) {
            let records = subjects.entry(envelope.subject.clone()).or_default();
            records.push((envelope, record));
        }
    }
    Ok(subjects)
}

/// A whole stream of a partition, in memory.
async fn all(bus: &Bus, stream: Stream, partition: u32) -> anyhow::Result<Vec<Record>> {
    let reading = || format!("cannot read {stream} of partition {partition}");
    let end = bus.end(stream, partition).await.with_context(reading)?;
    let mut follower = bus
        .follow(stream, &[partition], &Position::Start)
        .with_context(reading)?;
    let mut records = Vec::new();
    while follower.position(partition) < end {
        let batch = follower.next_batch(BATCH, Duration::from_secs(30)).await;
        let batch = batch.with_context(reading)?;
        if batch.is_empty() {
            break;
        }
        records.extend(batch);
    }
    Ok(records)
}
