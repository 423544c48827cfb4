use std::collections::BTreeMap;

use crate::{Error, Stream};

/// The most that key, headers and value of one record may hold together, in bytes: what librdkafka
/// sends by default (`message.max.bytes`), so that no log outgrows the other implementation.
pub const MAX_RECORD_BYTES: usize = 1_000_000;

/// What is appended: a record that has no place yet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outgoing {
    /// What compaction goes by: the server of a command, the target of a report or an event.
    pub key: String,
    /// Names and values beside the value, in this order; a name may repeat.
    pub headers: Vec<(String, String)>,
    /// The bytes, kept as they are. Empty is a value like any other, never a tombstone.
    pub value: Vec<u8>,
}

/// A record that stands in the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// The stream it stands in.
    pub stream: Stream,
    /// The partition it stands in.
    pub partition: u32,
    /// Its place: rises within a partition, with gaps, and is never used twice.
    pub offset: u64,
    /// See [`Outgoing::key`].
    pub key: String,
    /// See [`Outgoing::headers`].
    pub headers: Vec<(String, String)>,
    /// See [`Outgoing::value`].
    pub value: Vec<u8>,
}

/// From where a [`Follower`](crate::Follower) reads.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Position {
    /// From the first record that is kept.
    #[default]
    Start,
    /// From the record after this offset of each partition; from the start of those not named.
    After(BTreeMap<u32, u64>),
}

impl Position {
    /// After `offset` of one partition, or from its start: takes what
    /// [`Owner::consumed`](crate::Owner::consumed) gives.
    pub fn after(partition: u32, offset: Option<u64>) -> Self {
        Self::After(
            offset
                .map(|offset| (partition, offset))
                .into_iter()
                .collect(),
        )
    }

    pub(crate) fn offset(&self, partition: u32) -> Option<u64> {
        match self {
            Self::Start => None,
            Self::After(offsets) => offsets.get(&partition).copied(),
        }
    }
}

pub(crate) fn check_sizes<'a>(
    records: impl IntoIterator<Item = &'a Outgoing>,
) -> Result<(), Error> {
    for record in records {
        let headers: usize = record
            .headers
            .iter()
            .map(|(name, value)| name.len() + value.len())
            .sum();
        let bytes = record.key.len() + headers + record.value.len();
        if bytes > MAX_RECORD_BYTES {
            return Err(Error::TooLarge {
                key: record.key.clone(),
                bytes,
            });
        }
    }
    Ok(())
}
