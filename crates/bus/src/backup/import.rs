use std::io::BufRead;

use super::read::{Contents, Reader};
use crate::{Bus, Commit, Error, Outgoing, Owner, Ownership, PARTITIONS, Record, Stream};

/// How many records are written in one transaction, and about how many bytes of them.
const BATCH: usize = 500;
const BATCH_BYTES: usize = 4 << 20;

/// What an import made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Imported {
    /// What is in the log now.
    pub contents: Contents,
    /// The epoch of each partition: above every epoch that the backup knows of.
    pub epochs: Vec<u64>,
}

/// Writes a backup into an empty log. `taken` makes the record with which a partition is taken,
/// from the partition and the base of its epoch. Blocks while it reads.
///
/// Workers may have obeyed higher epochs than the backup knows of: they say so, and the owner takes
/// the partition anew above them.
///
/// # Errors
/// [`Error::NotEmpty`] before anything is written; [`Error::Backup`] or the storage's, after which
/// the new log is of no use.
pub async fn import(
    bus: &Bus,
    lines: impl BufRead,
    taken: impl Fn(u32, u64) -> Outgoing,
) -> Result<Imported, Error> {
    for stream in Stream::ALL {
        for partition in 0..PARTITIONS {
            if bus.end(stream, partition).await?.is_some() {
                return Err(Error::NotEmpty { stream, partition });
            }
        }
    }
    let mut reader = Reader::begin(lines)?;
    let mut writer = Writer::take(bus, &reader.owners, taken).await?;
    while let Some(record) = reader.next()? {
        writer.record(record).await?;
    }
    writer.flush().await?;
    let mut imported = writer.imported;
    imported.contents.written_by = reader.written_by;
    Ok(imported)
}

/// The new log, all of whose partitions are owned by the import.
struct Writer {
    bus: Bus,
    owners: Vec<Owner>,
    former: Vec<Ownership>,
    batch: Vec<Record>,
    bytes: usize,
    imported: Imported,
}

impl Writer {
    async fn take(
        bus: &Bus,
        former: &[Ownership],
        taken: impl Fn(u32, u64) -> Outgoing,
    ) -> Result<Self, Error> {
        let mut owners = Vec::new();
        for (partition, former) in (0..PARTITIONS).zip(former) {
            let record = taken(partition, former.epoch);
            owners.push(bus.own(partition, former.epoch, record).await?);
        }
        let epochs = owners.iter().map(Owner::epoch).collect();
        Ok(Self {
            bus: bus.clone(),
            owners,
            former: former.to_vec(),
            batch: Vec::new(),
            bytes: 0,
            imported: Imported {
                epochs,
                ..Imported::default()
            },
        })
    }

    async fn record(&mut self, record: Record) -> Result<(), Error> {
        let same = self
            .batch
            .last()
            .is_none_or(|last| (last.stream, last.partition) == (record.stream, record.partition));
        if !same || self.batch.len() == BATCH || self.bytes > BATCH_BYTES {
            self.flush().await?;
        }
        self.bytes += record.value.len();
        self.imported.contents.count(record.stream);
        self.batch.push(record);
        Ok(())
    }

    async fn flush(&mut self) -> Result<(), Error> {
        self.bytes = 0;
        let batch = std::mem::take(&mut self.batch);
        let Some((stream, partition)) = batch.last().map(|last| (last.stream, last.partition))
        else {
            return Ok(());
        };
        let old: Vec<u64> = batch.iter().map(|record| record.offset).collect();
        let records = batch.into_iter().map(outgoing).collect();
        match stream {
            Stream::Events => {
                let events = Commit {
                    events: records,
                    ..Commit::default()
                };
                self.commit(partition, events).await
            }
            Stream::Reports => {
                let new = self.bus.append(stream, partition, records).await?;
                self.consume(partition, &old, &new).await
            }
            Stream::Rejected => self.bus.append(stream, partition, records).await.map(drop),
            Stream::Commands | Stream::Snapshots => Ok(()),
        }
    }

    /// Reports that were consumed once are consumed here: offsets are others, their order is not.
    async fn consume(&mut self, partition: u32, old: &[u64], new: &[u64]) -> Result<(), Error> {
        let former = self.former.get(partition as usize);
        let consumed = former.and_then(|former| former.consumed);
        let done = old.partition_point(|offset| Some(*offset) <= consumed);
        let last = done.checked_sub(1).and_then(|last| new.get(last)).copied();
        if last.is_none() {
            return Ok(());
        }
        let position = Commit {
            consumed: last,
            ..Commit::default()
        };
        self.commit(partition, position).await
    }

    async fn commit(&mut self, partition: u32, commit: Commit) -> Result<(), Error> {
        match self.owners.get_mut(partition as usize) {
            Some(owner) => owner.commit(commit).await.map(drop),
            None => Err(Error::UnknownPartition { partition }),
        }
    }
}

fn outgoing(record: Record) -> Outgoing {
    Outgoing {
        key: record.key,
        headers: record.headers,
        value: record.value,
    }
}
