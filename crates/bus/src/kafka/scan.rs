//! Records at known places.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use rdkafka::error::KafkaError;
use tokio::time::{Instant, timeout_at};

use super::client::{is_silence, with_mend};
use super::message::record;
use super::position::POSITION;
use super::readers::{Bounds, Lent, Readers};
use crate::{Error, Record, Stream};

/// A wanted record that is further ahead is jumped to; one that is nearer is read up to.
const NEAR: u64 = 500;

/// The records at these offsets, in this order, as far as they are kept.
pub(super) async fn at(
    readers: &Arc<Readers>,
    stream: Stream,
    partition: u32,
    offsets: &[u64],
) -> Result<Vec<Record>, Error> {
    if offsets.is_empty() {
        return Ok(Vec::new());
    }
    let reader = readers.lend(stream).await?;
    let bounds = reader.bounds(vec![partition], readers.limit()).await?;
    let Some((_, Bounds { first, end })) = bounds.first().copied() else {
        return Ok(Vec::new());
    };
    let kept = offsets
        .iter()
        .copied()
        .filter(|offset| (first..end).contains(offset));
    let mut scan = Scan {
        reader,
        readers: Arc::clone(readers),
        stream,
        partition,
        end,
        wanted: kept.collect(),
        found: BTreeMap::new(),
    };
    scan.run().await?;
    Ok(offsets
        .iter()
        .filter_map(|offset| scan.found.get(offset).cloned())
        .collect())
}

struct Scan {
    reader: Lent,
    readers: Arc<Readers>,
    stream: Stream,
    partition: u32,
    end: u64,
    wanted: BTreeSet<u64>,
    found: BTreeMap<u64, Record>,
}

impl Scan {
    async fn run(&mut self) -> Result<(), Error> {
        let mut next = None;
        while let Some(wanted) = self.wanted.first().copied() {
            let place = match next {
                Some(next) if wanted >= next && wanted - next < NEAR => next,
                Some(_) | None => {
                    self.reader.assign(vec![(self.partition, wanted)]).await?;
                    wanted
                }
            };
            next = Some(self.read_past(place, wanted).await?);
            // What was not found on the way is not kept.
            self.wanted.retain(|offset| Some(*offset) >= next);
        }
        Ok(())
    }

    /// Reads on from `next` until `wanted` is behind; gives the next offset.
    async fn read_past(&mut self, mut next: u64, wanted: u64) -> Result<u64, Error> {
        let limit = self.readers.limit();
        let until = Instant::now() + limit;
        while next <= wanted {
            let read = timeout_at(until, self.reader.consumer()?.recv()).await;
            match read.map_err(|_elapsed| self.readers.naming.silent(limit))? {
                Ok(message) => {
                    let record = record(self.stream, &message);
                    next = record.offset + 1;
                    let ours = self.stream == Stream::Snapshots && record.key == POSITION;
                    if self.wanted.contains(&record.offset) && !ours {
                        self.found.insert(record.offset, record);
                    }
                }
                Err(KafkaError::PartitionEOF(_)) => next = self.end,
                Err(error) if is_silence(&error) => {}
                Err(error) => return Err(self.readers.naming.storage(&with_mend(&error))),
            }
        }
        Ok(next)
    }
}
