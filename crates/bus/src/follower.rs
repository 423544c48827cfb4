use std::time::Duration;

use crate::{Error, Record, kafka, sqlite};

/// A reader of some partitions of a stream. See [`Bus::follow`](crate::Bus::follow).
///
/// Dropping any of its calls loses nothing: the next call gives what that one would have given.
/// A `deadline` is how long to wait for a record that is not there yet; what is there is given
/// even when it is zero.
#[derive(Debug)]
pub struct Follower {
    source: Source,
}

#[derive(Debug)]
enum Source {
    Sqlite(sqlite::Tail),
    Kafka(kafka::Tail),
}

impl Follower {
    pub(crate) fn sqlite(tail: sqlite::Tail) -> Self {
        Self {
            source: Source::Sqlite(tail),
        }
    }

    pub(crate) fn kafka(tail: kafka::Tail) -> Self {
        Self {
            source: Source::Kafka(tail),
        }
    }

    /// The next record, or `None` when none came before the deadline.
    ///
    /// # Errors
    /// [`Error::Closed`], or the storage's; the place is kept, so it may be called again.
    pub async fn next(&mut self, deadline: Duration) -> Result<Option<Record>, Error> {
        Ok(self.next_batch(1, deadline).await?.pop())
    }

    /// The next records, at most `max`: waits for the first one only, and is empty when none came
    /// before the deadline.
    ///
    /// # Errors
    /// As [`Follower::next`].
    pub async fn next_batch(
        &mut self,
        max: usize,
        deadline: Duration,
    ) -> Result<Vec<Record>, Error> {
        match &mut self.source {
            Source::Sqlite(tail) => tail.next_batch(max, deadline).await,
            Source::Kafka(tail) => tail.next_batch(max, deadline).await,
        }
    }

    /// Everything up to the end as it is now, in memory: what a worker does before it acts on the
    /// first command. Of a compacted stream it gives the latest record of each key alone. Long
    /// streams are read in batches up to [`Bus::end`](crate::Bus::end) instead.
    ///
    /// # Errors
    /// As [`Follower::next`].
    pub async fn catch_up(&mut self) -> Result<Vec<Record>, Error> {
        match &mut self.source {
            Source::Sqlite(tail) => tail.catch_up().await,
            Source::Kafka(tail) => tail.catch_up().await,
        }
    }

    /// How far this follower is: everything up to this offset has been given, or is no record. It
    /// has passed an [`end`](crate::Bus::end) when this is not below it, also if no record lies
    /// there (any more). On Kafka it passes places without a record when a wait ends with nothing.
    pub fn position(&self, partition: u32) -> Option<u64> {
        match &self.source {
            Source::Sqlite(tail) => tail.position(partition),
            Source::Kafka(tail) => tail.position(partition),
        }
    }
}
