use std::sync::Arc;

use crate::bus::check_partition;
use crate::kafka::{Kafka, Seat};
use crate::record::check_sizes;
use crate::sqlite::{Log, Request};
use crate::{Error, Outgoing};

/// The right to write to a partition, until another owner takes it.
#[derive(Debug)]
pub struct Owner {
    hand: Hand,
    partition: u32,
    taken_at: u64,
    ownership: Ownership,
    in_doubt: bool,
}

/// What it writes with.
#[derive(Debug)]
pub(crate) enum Hand {
    Sqlite(Arc<Log>),
    Kafka(Arc<Kafka>, Arc<Seat>),
}

/// How far the owners of a partition have come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ownership {
    /// The epoch of the last owner.
    pub epoch: u64,
    /// The position of the last report that was consumed.
    pub consumed: Option<u64>,
}

/// One decision: all of it is written, or nothing.
#[derive(Clone, Debug, Default)]
pub struct Commit {
    /// Appended to the partition's events.
    pub events: Vec<Outgoing>,
    /// Written to the partition's commands; each replaces the record of its key.
    pub commands: Vec<Outgoing>,
    /// Written to the partition's snapshots; each replaces the record of its key.
    pub snapshots: Vec<Outgoing>,
    /// Appended to the partition's rejected.
    pub rejected: Vec<Outgoing>,
    /// Appended to the reports, each to the partition named: what this decision tells others. They
    /// are read by whoever owns that partition, like any other report.
    pub reports: Vec<(u32, Outgoing)>,
    /// The offset of the report that was consumed, which counts up only. `None`: it was the clock.
    pub consumed: Option<u64>,
}

/// What a [`Commit`] came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Committed {
    /// The offsets of the events, in their order.
    pub event_offsets: Vec<u64>,
}

impl Owner {
    pub(crate) fn new(hand: Hand, partition: u32, taken_at: u64, ownership: Ownership) -> Self {
        Self {
            hand,
            partition,
            taken_at,
            ownership,
            in_doubt: false,
        }
    }

    /// The partition it owns.
    pub fn partition(&self) -> u32 {
        self.partition
    }

    /// Higher than the epoch of every owner of the partition before it.
    pub fn epoch(&self) -> u64 {
        self.ownership.epoch
    }

    /// The offset of the record that was appended to the events when the partition was taken.
    pub fn taken_at(&self) -> u64 {
        self.taken_at
    }

    /// The position of the last report consumed, by this owner or one before it.
    pub fn consumed(&self) -> Option<u64> {
        self.ownership.consumed
    }

    /// Writes a decision in one transaction, reports to other partitions included. It is on the disk when it returns.
    ///
    /// # Errors
    /// [`Error::Fenced`] when another owner took the partition; [`Error::AlreadyConsumed`];
    /// [`Error::TooLarge`]; [`Error::UnknownPartition`]; the storage's. Each of them means that nothing was written, but for
    /// [`Error::Silent`]: after that one, or when the call is dropped before its answer, every
    /// further commit gets [`Error::InDoubt`].
    pub async fn commit(&mut self, commit: Commit) -> Result<Committed, Error> {
        if self.in_doubt {
            return Err(Error::InDoubt {
                partition: self.partition,
            });
        }
        check_sizes(
            [
                &commit.events,
                &commit.commands,
                &commit.snapshots,
                &commit.rejected,
            ]
            .into_iter()
            .flatten()
            .chain(commit.reports.iter().map(|(_, report)| report)),
        )?;
        commit
            .reports
            .iter()
            .try_for_each(|(partition, _)| check_partition(*partition))?;
        let mut ownership = self.ownership;
        ownership.consumed = commit.consumed.or(ownership.consumed);
        self.in_doubt = true;
        let written = self.write(commit, ownership).await;
        self.in_doubt = matches!(written, Err(Error::Silent { .. }));
        let event_offsets = written?;
        self.ownership = ownership;
        Ok(Committed { event_offsets })
    }

    async fn write(&self, commit: Commit, ownership: Ownership) -> Result<Vec<u64>, Error> {
        let partition = self.partition;
        match &self.hand {
            Hand::Sqlite(log) => {
                let request = Request::Commit {
                    partition,
                    epoch: ownership.epoch,
                    commit,
                };
                Ok(log.submit(request).await?.offsets)
            }
            Hand::Kafka(kafka, seat) => {
                // As long as nobody fenced us, what we know of it is what stands.
                let stored = self.ownership.consumed;
                if let (Some(asked), Some(stored)) = (commit.consumed, stored)
                    && asked <= stored
                {
                    return Err(Error::AlreadyConsumed {
                        partition,
                        asked,
                        stored,
                    });
                }
                kafka.commit(seat, commit, ownership).await
            }
        }
    }
}
