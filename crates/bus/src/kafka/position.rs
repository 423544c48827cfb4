//! How far the owners of a partition have come: a record of the bus's own among the snapshots,
//! written by every commit and shown to nobody.

use std::sync::Arc;

use rdkafka::error::KafkaError;
use rdkafka::message::Message as _;
use serde::{Deserialize, Serialize};
use tokio::time::{Instant, timeout_at};

use super::client::{is_silence, with_mend};
use super::message::{offset, record};
use super::readers::Readers;
use crate::{Error, Outgoing, Ownership, Record, Stream};

/// The key of that record. No target, machine or server is named so.
pub(super) const POSITION: &str = "@position";

/// How many records before the end are looked at first: every commit writes a new one.
const NEAR: u64 = 64;

/// How much further back each next look goes.
const WIDER: u64 = 32;

#[derive(Debug, Serialize, Deserialize)]
struct Stored {
    epoch: u64,
    consumed: Option<u64>,
}

/// The record that says so.
pub(super) fn stored(ownership: Ownership) -> Outgoing {
    let stored = Stored {
        epoch: ownership.epoch,
        consumed: ownership.consumed,
    };
    Outgoing {
        key: POSITION.to_owned(),
        headers: Vec::new(),
        // Numbers always make JSON.
        value: serde_json::to_vec(&stored).unwrap_or_default(),
    }
}

/// How far they have come, `None` when nobody has ever owned the partition.
pub(super) async fn find(
    readers: &Arc<Readers>,
    partition: u32,
) -> Result<Option<Ownership>, Error> {
    let limit = readers.limit();
    let reader = readers.lend(Stream::Snapshots).await?;
    let bounds = reader.bounds(vec![partition], limit).await?;
    let Some((_, bounds)) = bounds.first().copied() else {
        return Ok(None);
    };
    let until = Instant::now() + limit;
    let mut near = NEAR;
    loop {
        let from = bounds.end.saturating_sub(near).max(bounds.first);
        if from >= bounds.end {
            return Ok(None);
        }
        reader.assign(vec![(partition, from)]).await?;
        let mut found: Option<Record> = None;
        loop {
            let read = timeout_at(until, reader.consumer()?.recv()).await;
            match read.map_err(|_elapsed| readers.naming.silent(limit))? {
                Ok(message) => {
                    if message.key() == Some(POSITION.as_bytes()) {
                        found = Some(record(Stream::Snapshots, &message));
                    }
                    if offset(message.offset()) + 1 >= bounds.end {
                        break;
                    }
                }
                Err(KafkaError::PartitionEOF(_)) => break,
                Err(error) if is_silence(&error) => {}
                Err(error) => return Err(readers.naming.storage(&with_mend(&error))),
            }
        }
        if let Some(record) = found {
            return read(readers, &record).map(Some);
        }
        if from == bounds.first {
            return Ok(None);
        }
        near = near.saturating_mul(WIDER);
    }
}

fn read(readers: &Readers, record: &Record) -> Result<Ownership, Error> {
    let stored: Stored = serde_json::from_slice(&record.value).map_err(|error| {
        readers.naming.storage(&format!(
            "the position at {}/{} offset {} cannot be read: {error}",
            record.stream, record.partition, record.offset
        ))
    })?;
    Ok(Ownership {
        epoch: stored.epoch,
        consumed: stored.consumed,
    })
}
