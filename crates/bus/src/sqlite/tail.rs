use std::collections::{BTreeMap, VecDeque};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use super::ends::Ends;
use super::readers::{self, Readers};
use crate::{Error, Position, Record, Stream};

/// A follower's place in the file.
#[derive(Debug)]
pub(crate) struct Tail {
    stream: Stream,
    /// By partition; 0 is before the first record.
    places: BTreeMap<u32, Place>,
    /// Read but not given yet.
    ready: VecDeque<Record>,
    readers: Arc<Readers>,
    ends: watch::Receiver<Ends>,
}

#[derive(Clone, Copy, Debug)]
struct Place {
    read: u64,
    given: u64,
}

impl Tail {
    pub(super) fn new(
        stream: Stream,
        partitions: &[u32],
        from: &Position,
        readers: Arc<Readers>,
        ends: watch::Receiver<Ends>,
    ) -> Result<Self, Error> {
        let mut places = BTreeMap::new();
        for &partition in partitions {
            let offset = from.offset(partition).unwrap_or_default();
            let end = ends.borrow().get(stream, partition);
            if offset > end {
                let end = (end > 0).then_some(end);
                return Err(Error::BeyondEnd {
                    stream,
                    partition,
                    offset,
                    end,
                });
            }
            places.insert(
                partition,
                Place {
                    read: offset,
                    given: offset,
                },
            );
        }
        Ok(Self {
            stream,
            places,
            ready: VecDeque::new(),
            readers,
            ends,
        })
    }

    pub(crate) async fn next_batch(
        &mut self,
        max: usize,
        deadline: Duration,
    ) -> Result<Vec<Record>, Error> {
        let mut deadline = pin!(tokio::time::sleep(deadline));
        while self.ready.is_empty() {
            // Marked as seen before it is read by, so that no change is slept through.
            let ends = self.ends.borrow_and_update().clone();
            if self.read_up_to(&ends).await? {
                continue;
            }
            tokio::select! {
                changed = self.ends.changed() => changed.map_err(|_closed| Error::Closed)?,
                () = &mut deadline => break,
            }
        }
        Ok(self.give(max))
    }

    pub(crate) async fn catch_up(&mut self) -> Result<Vec<Record>, Error> {
        let ends = self.ends.borrow().clone();
        while self.read_up_to(&ends).await? {}
        Ok(self.give(usize::MAX))
    }

    pub(crate) fn position(&self, partition: u32) -> Option<u64> {
        self.places
            .get(&partition)
            .map(|place| place.given)
            .filter(|given| *given > 0)
    }

    /// Reads one page of each partition that is behind; `false` when none is. Nothing has changed
    /// when it is dropped before it is done.
    async fn read_up_to(&mut self, ends: &Ends) -> Result<bool, Error> {
        let stream = self.stream;
        let behind: Vec<(u32, u64)> = self
            .places
            .iter()
            .filter(|(partition, place)| place.read < ends.get(stream, **partition))
            .map(|(partition, place)| (*partition, place.read))
            .collect();
        if behind.is_empty() {
            return Ok(false);
        }
        let read = self.readers.read(move |conn| {
            behind
                .into_iter()
                .map(|(partition, after)| {
                    let page = readers::page(conn, stream, partition, after)?;
                    Ok((partition, page))
                })
                .collect::<rusqlite::Result<Vec<_>>>()
        });
        for (partition, page) in read.await? {
            // The last record of a partition is never deleted, so only a file that was tampered with
            // gives an empty page; it must not be asked for again and again.
            let end = ends.get(stream, partition);
            let read = page.last().map_or(end, |record| record.offset);
            if let Some(place) = self.places.get_mut(&partition) {
                place.read = read;
            }
            self.ready.extend(page);
        }
        Ok(true)
    }

    fn give(&mut self, max: usize) -> Vec<Record> {
        let batch: Vec<Record> = self.ready.drain(..max.min(self.ready.len())).collect();
        for record in &batch {
            if let Some(place) = self.places.get_mut(&record.partition) {
                place.given = record.offset;
            }
        }
        batch
    }
}
