use std::path::Path;
use std::sync::Arc;

use crate::kafka::{self, Kafka};
use crate::owner::{Hand, Owner, Ownership};
use crate::record::check_sizes;
use crate::sqlite::{Log, Request};
use crate::{Error, Follower, Membership, Outgoing, PARTITIONS, Position, Record, Stream};

/// The streams. Clones share one log.
#[derive(Clone, Debug)]
pub struct Bus {
    backend: Backend,
}

#[derive(Clone, Debug)]
enum Backend {
    Sqlite(Arc<Log>),
    Kafka(Arc<Kafka>),
}

/// How a log is opened.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// From this size on, appends are refused with [`Error::Full`], so that a flood of reports
    /// cannot fill the disk under the owners, whose commits go on. `None`: the disk is the limit.
    pub max_bytes: Option<u64>,
}

/// How much a log holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Room {
    /// What it takes on its disk now.
    pub log_bytes: u64,
    /// What that disk has left for it.
    pub free_bytes: u64,
}

/// What the bus has done since it was opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Writes that were acknowledged: appends, commits, ownerships taken, expiries.
    pub writes: u64,
    /// Records that were written by them.
    pub records: u64,
    /// Transactions flushed to the disk; less than `writes` where writers shared one. `None` on
    /// Kafka: when a broker flushes is its own affair.
    pub flushes: Option<u64>,
    /// Writes that wait for their answer now.
    pub waiting: u64,
}

impl Bus {
    /// Opens the log in one SQLite file, and makes the file if there is none. Blocks while it
    /// recovers what a killed process left.
    ///
    /// # Errors
    /// [`Error::InUse`], [`Error::NotOurs`], [`Error::TooNew`], [`Error::Damaged`], or
    /// [`Error::Storage`] when the folder is missing or may not be written.
    pub fn open(path: &Path) -> Result<Self, Error> {
        Self::open_with(path, &Options::default())
    }

    /// [`Bus::open`], with options.
    ///
    /// # Errors
    /// As [`Bus::open`].
    pub fn open_with(path: &Path, options: &Options) -> Result<Self, Error> {
        Ok(Self {
            backend: Backend::Sqlite(Arc::new(Log::open(path, options)?)),
        })
    }

    /// Opens the log on Kafka, whose topics `poolshift topics create` has made.
    ///
    /// # Errors
    /// [`Error::Settings`]; [`Error::Silent`] when no broker answers; [`Error::Storage`] when a topic
    /// is missing or not as it must be.
    pub async fn connect(settings: &kafka::Settings) -> Result<Self, Error> {
        Ok(Self {
            backend: Backend::Kafka(Arc::new(Kafka::open(settings).await?)),
        })
    }

    /// Appends in this order and answers with the offsets. The records are on the disk when it
    /// returns (on Kafka: on all replicas that are in sync). A caller that gives up waiting does not
    /// know the outcome.
    ///
    /// After an error there is none of them in a file; on Kafka, where they are no transaction, the
    /// first ones may stand after [`Error::Silent`].
    ///
    /// # Errors
    /// [`Error::OwnerOnly`] for all streams but reports and rejected, [`Error::UnknownPartition`],
    /// [`Error::TooLarge`], [`Error::Full`], [`Error::Storage`], [`Error::Silent`], [`Error::Closed`].
    pub async fn append(
        &self,
        stream: Stream,
        partition: u32,
        records: Vec<Outgoing>,
    ) -> Result<Vec<u64>, Error> {
        check_partition(partition)?;
        if !stream.is_open() {
            return Err(Error::OwnerOnly { stream });
        }
        check_sizes(&records)?;
        if records.is_empty() {
            return Ok(Vec::new());
        }
        match &self.backend {
            Backend::Sqlite(log) => {
                let request = Request::Append {
                    stream,
                    partition,
                    records,
                };
                Ok(log.submit(request).await?.offsets)
            }
            Backend::Kafka(kafka) => kafka.append(stream, partition, records).await,
        }
    }

    /// Follows a stream: each record once, in the order of its partition, and then those to come.
    /// Of a compacted stream a record that was superseded before it was read may be left out;
    /// [`Follower::catch_up`] leaves them all out.
    ///
    /// # Errors
    /// [`Error::UnknownPartition`]; [`Error::BeyondEnd`], which a remote log may give only at the
    /// first read.
    pub fn follow(
        &self,
        stream: Stream,
        partitions: &[u32],
        from: &Position,
    ) -> Result<Follower, Error> {
        partitions
            .iter()
            .try_for_each(|partition| check_partition(*partition))?;
        match &self.backend {
            Backend::Sqlite(log) => Ok(Follower::sqlite(log.follow(stream, partitions, from)?)),
            Backend::Kafka(kafka) => Ok(Follower::kafka(kafka.follow(stream, partitions, from)?)),
        }
    }

    /// The last place that is taken at present, `None` when there has never been a record. It rises
    /// only. Mostly a record lies there; on Kafka it may also be the mark of a transaction, or be
    /// empty when the topic's retention took the record. What lies in a transaction that is not
    /// decided yet is behind the end.
    ///
    /// # Errors
    /// [`Error::UnknownPartition`], or the storage's.
    pub async fn end(&self, stream: Stream, partition: u32) -> Result<Option<u64>, Error> {
        check_partition(partition)?;
        match &self.backend {
            Backend::Sqlite(log) => log.end(stream, partition).await,
            Backend::Kafka(kafka) => kafka.end(stream, partition).await,
        }
    }

    /// The records at these offsets, in this order. One that is not kept any more is left out.
    ///
    /// # Errors
    /// [`Error::UnknownPartition`], or the storage's.
    pub async fn read(
        &self,
        stream: Stream,
        partition: u32,
        offsets: Vec<u64>,
    ) -> Result<Vec<Record>, Error> {
        check_partition(partition)?;
        match &self.backend {
            Backend::Sqlite(log) => log.read(stream, partition, offsets).await,
            Backend::Kafka(kafka) => kafka.read(stream, partition, &offsets).await,
        }
    }

    /// The latest record of every key of a compacted stream, in the order of their offsets.
    ///
    /// # Errors
    /// [`Error::NotCompacted`], [`Error::UnknownPartition`], or the storage's.
    pub async fn latest(&self, stream: Stream, partition: u32) -> Result<Vec<Record>, Error> {
        check_partition(partition)?;
        if !stream.is_compacted() {
            return Err(Error::NotCompacted { stream });
        }
        match &self.backend {
            Backend::Sqlite(log) => log.latest(stream, partition).await,
            Backend::Kafka(kafka) => kafka.latest(stream, partition).await,
        }
    }

    /// The position of the last report that an owner of the partition consumed.
    ///
    /// # Errors
    /// [`Error::UnknownPartition`], or the storage's.
    pub async fn consumed(&self, partition: u32) -> Result<Option<u64>, Error> {
        let ownership = self.ownership(partition).await?;
        Ok(ownership.and_then(|ownership| ownership.consumed))
    }

    /// How far the owners of a partition have come; `None` when nobody has ever owned it.
    ///
    /// # Errors
    /// [`Error::UnknownPartition`], or the storage's.
    pub async fn ownership(&self, partition: u32) -> Result<Option<Ownership>, Error> {
        check_partition(partition)?;
        match &self.backend {
            Backend::Sqlite(log) => log.ownership(partition).await,
            Backend::Kafka(kafka) => kafka.ownership(partition).await,
        }
    }

    /// Takes a partition: appends `taken` to its events and fences the former owner, in one
    /// transaction. The epoch is `base` + the offset of that record. The owner must fold until it
    /// reads that very record back before it decides anything. A caller that gives up waiting may
    /// have fenced the former owner all the same, and takes the partition again.
    ///
    /// # Errors
    /// [`Error::Fenced`] with epoch 0 when another process took it at the same moment;
    /// [`Error::EpochTooLow`] when the epoch would not be above the former one (after a higher base
    /// was in use); [`Error::UnknownPartition`], [`Error::TooLarge`], or the storage's.
    pub async fn own(&self, partition: u32, base: u64, taken: Outgoing) -> Result<Owner, Error> {
        check_partition(partition)?;
        check_sizes([&taken])?;
        match &self.backend {
            Backend::Sqlite(log) => {
                let request = Request::Own {
                    partition,
                    base,
                    taken,
                };
                let answer = log.submit(request).await?;
                let taken_at = answer.offsets.first().copied().unwrap_or_default();
                let ownership = Ownership {
                    epoch: base + taken_at,
                    consumed: answer.consumed,
                };
                let hand = Hand::Sqlite(Arc::clone(log));
                Ok(Owner::new(hand, partition, taken_at, ownership))
            }
            Backend::Kafka(kafka) => {
                let taken = kafka.own(partition, base, taken).await?;
                let hand = Hand::Kafka(Arc::clone(kafka), taken.seat);
                Ok(Owner::new(hand, partition, taken.taken_at, taken.ownership))
            }
        }
    }

    /// Which partitions this process should own, as far as others are there. `instance` is its name
    /// among them.
    ///
    /// # Errors
    /// [`Error::Settings`], [`Error::Closed`].
    pub fn membership(&self, instance: &str) -> Result<Membership, Error> {
        match &self.backend {
            Backend::Sqlite(_) => Ok(Membership::alone()),
            Backend::Kafka(kafka) => Ok(Membership::kafka(kafka.members(instance)?)),
        }
    }

    /// Deletes records of reports or rejected that were appended before `older_than_ms`
    /// (milliseconds since 1970), and answers how many. It keeps the last record of each partition,
    /// so that [`Bus::end`] never falls, and here also reports that no owner has consumed. On Kafka
    /// it does nothing and answers 0: there the brokers delete what is older than the topic's
    /// retention, also when nobody has consumed it.
    ///
    /// # Errors
    /// [`Error::NeverExpires`] for the other streams, or the storage's.
    pub async fn expire(&self, stream: Stream, older_than_ms: u64) -> Result<u64, Error> {
        if !stream.is_open() {
            return Err(Error::NeverExpires { stream });
        }
        let log = match &self.backend {
            Backend::Sqlite(log) => log,
            Backend::Kafka(_) => return Ok(0),
        };
        let mut deleted = 0;
        loop {
            let answer = log
                .submit(Request::Expire {
                    stream,
                    older_than_ms,
                })
                .await?;
            deleted += answer.deleted;
            if answer.deleted == 0 {
                return Ok(deleted);
            }
        }
    }

    /// How much the log holds, and how much more fits. `None` on Kafka: only who runs the brokers
    /// sees their disks.
    ///
    /// # Errors
    /// The storage's.
    pub async fn room(&self) -> Result<Option<Room>, Error> {
        match &self.backend {
            Backend::Sqlite(log) => log.room().await.map(Some),
            Backend::Kafka(_) => Ok(None),
        }
    }

    /// What the bus has done since it was opened.
    pub fn stats(&self) -> Stats {
        match &self.backend {
            Backend::Sqlite(log) => log.stats(),
            Backend::Kafka(kafka) => kafka.stats(),
        }
    }

    /// Takes no more requests, answers those that wait, and lets go of the file, which afterwards
    /// is one again, or of the brokers. Everything else on this bus gets [`Error::Closed`]. When the last
    /// clone and owner are dropped the same happens, but nobody can await it.
    ///
    /// # Errors
    /// [`Error::Silent`] when the disk took too long; it still closes when the disk is done.
    pub async fn close(&self) -> Result<(), Error> {
        match &self.backend {
            Backend::Sqlite(log) => log.close().await,
            Backend::Kafka(kafka) => kafka.close().await,
        }
    }
}

pub(crate) fn check_partition(partition: u32) -> Result<(), Error> {
    if partition < PARTITIONS {
        Ok(())
    } else {
        Err(Error::UnknownPartition { partition })
    }
}
