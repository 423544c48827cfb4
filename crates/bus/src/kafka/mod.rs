//! The streams as topics of Kafka.
//!
//! The owner of a partition writes by a transactional producer whose id is the partition's, so that
//! the brokers themselves refuse a former owner. Everybody reads what is committed alone. Offsets
//! of consumer groups are never committed: how far an owner has come stands in its own commits.
//!
//! librdkafka waits in threads of its own and in calls that block; those run where they may, and
//! each has a deadline. A call that is dropped goes on to its end.

mod appender;
mod asker;
mod client;
mod config;
mod members;
mod message;
mod position;
mod readers;
mod scan;
mod seat;
mod settings;
mod tail;
pub mod topics;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::{Mutex, watch};

use crate::{Commit, Error, Outgoing, Ownership, PARTITIONS, Position, Record, Stats, Stream};

use appender::Appender;
use asker::Asker;
use client::Naming;
use message::Sending;
use readers::Readers;

pub(crate) use members::Members;
pub(crate) use seat::Seat;
pub use settings::Settings;
pub(crate) use tail::Tail;

/// Taking a partition may wait out a restart of the brokers: so many times the time of a write.
const TAKE_PATIENCE: u32 = 3;

/// The streams on Kafka.
#[derive(Debug)]
pub(crate) struct Kafka {
    settings: Settings,
    naming: Naming,
    appender: Appender,
    asker: Asker,
    readers: Arc<Readers>,
    /// By partition: one at a time takes it in this process, so that it does not fence itself.
    taking: Vec<Arc<Mutex<()>>>,
    closed: watch::Sender<bool>,
    counters: Counters,
}

#[derive(Debug, Default)]
struct Counters {
    writes: AtomicU64,
    records: AtomicU64,
    waiting: AtomicU64,
}

/// A partition that was taken.
pub(crate) struct Taken {
    pub(crate) seat: Arc<Seat>,
    pub(crate) taken_at: u64,
    pub(crate) ownership: Ownership,
}

impl Kafka {
    /// Finds the brokers, and sees that every topic is as it must be that this process may see.
    pub(crate) async fn open(settings: &Settings) -> Result<Self, Error> {
        settings.check()?;
        let naming = Naming::new(&settings.brokers);
        let readers = Arc::new(Readers::new(settings.clone(), naming.clone()));
        topics::partitions(settings, &naming).await?;
        let (appender, asker) = {
            let (settings, naming) = (settings.clone(), naming.clone());
            let work = tokio::task::spawn_blocking(move || {
                let asker = Asker::new(&settings, &naming)?;
                Ok((Appender::new(&settings, &naming)?, asker))
            });
            work.await
                .map_err(|error| readers.naming.storage(&error))??
        };
        Ok(Self {
            settings: settings.clone(),
            naming,
            appender,
            asker,
            readers,
            taking: (0..PARTITIONS).map(|_| Arc::default()).collect(),
            closed: watch::Sender::new(false),
            counters: Counters::default(),
        })
    }

    pub(crate) async fn append(
        &self,
        stream: Stream,
        partition: u32,
        records: Vec<Outgoing>,
    ) -> Result<Vec<u64>, Error> {
        self.check_open()?;
        let topic = self.settings.topic(stream);
        let sending = |record| Sending::new(topic.clone(), partition, record);
        let records: Vec<Sending> = records.into_iter().map(sending).collect();
        let _waiting = self.counters.wait();
        let offsets = self.appender.append(&records).await?;
        self.counters.wrote(records.len() as u64);
        Ok(offsets)
    }

    pub(crate) fn follow(
        &self,
        stream: Stream,
        partitions: &[u32],
        from: &Position,
    ) -> Result<Tail, Error> {
        self.check_open()?;
        let (readers, closed) = (Arc::clone(&self.readers), self.closed.subscribe());
        Ok(Tail::new(stream, partitions, from, readers, closed))
    }

    pub(crate) async fn end(&self, stream: Stream, partition: u32) -> Result<Option<u64>, Error> {
        self.check_open()?;
        Ok(self.asker.end(stream, partition).await?.checked_sub(1))
    }

    pub(crate) async fn read(
        &self,
        stream: Stream,
        partition: u32,
        offsets: &[u64],
    ) -> Result<Vec<Record>, Error> {
        self.check_open()?;
        scan::at(&self.readers, stream, partition, offsets).await
    }

    pub(crate) async fn latest(
        &self,
        stream: Stream,
        partition: u32,
    ) -> Result<Vec<Record>, Error> {
        self.follow(stream, &[partition], &Position::Start)?
            .catch_up()
            .await
    }

    pub(crate) async fn ownership(&self, partition: u32) -> Result<Option<Ownership>, Error> {
        self.check_open()?;
        position::find(&self.readers, partition).await
    }

    /// Goes on to its end when it is dropped.
    pub(crate) async fn own(
        self: &Arc<Self>,
        partition: u32,
        base: u64,
        taken: Outgoing,
    ) -> Result<Taken, Error> {
        self.check_open()?;
        let kafka = Arc::clone(self);
        let work = tokio::spawn(async move { kafka.take(partition, base, taken).await });
        work.await.map_err(|error| self.naming.storage(&error))?
    }

    /// Goes on to its end when it is dropped.
    pub(crate) async fn commit(
        self: &Arc<Self>,
        seat: &Arc<Seat>,
        commit: Commit,
        ownership: Ownership,
    ) -> Result<Vec<u64>, Error> {
        self.check_open()?;
        let (kafka, seat) = (Arc::clone(self), Arc::clone(seat));
        let work = tokio::spawn(async move {
            let _waiting = kafka.counters.wait();
            let made = seat.commit(commit, ownership).await?;
            kafka.counters.wrote(made.records);
            kafka.asker.seen(made.last).await;
            Ok(made.offsets)
        });
        work.await.map_err(|error| self.naming.storage(&error))?
    }

    pub(crate) fn members(&self, instance: &str) -> Result<Members, Error> {
        self.check_open()?;
        Members::join(&self.settings, &self.naming, instance)
    }

    pub(crate) fn stats(&self) -> Stats {
        Stats {
            writes: self.counters.writes.load(Ordering::Relaxed),
            records: self.counters.records.load(Ordering::Relaxed),
            flushes: None,
            waiting: self.counters.waiting.load(Ordering::Relaxed),
        }
    }

    pub(crate) async fn close(&self) -> Result<(), Error> {
        if self.closed.send_replace(true) {
            return Ok(());
        }
        let (appender, readers) = (self.appender.clone(), Arc::clone(&self.readers));
        let work = tokio::task::spawn_blocking(move || {
            readers.close();
            appender.flush()
        });
        work.await.map_err(|error| self.naming.storage(&error))?
    }

    async fn take(&self, partition: u32, base: u64, taken: Outgoing) -> Result<Taken, Error> {
        let Some(turn) = self.taking.get(partition as usize) else {
            return Err(Error::UnknownPartition { partition });
        };
        let _turn = turn.lock().await;
        self.check_epoch(partition, base).await?;
        let limit = self.settings.answer_within() * TAKE_PATIENCE;
        let (settings, naming) = (self.settings.clone(), self.naming.clone());
        let work =
            tokio::task::spawn_blocking(move || Seat::take(&settings, &naming, partition, limit));
        let seat = Arc::new(work.await.map_err(|error| self.naming.storage(&error))??);
        // Nothing of a former owner can come after this.
        let former = position::find(&self.readers, partition).await?;
        let (taken_at, ownership) = seat.announce(base, taken, former).await?;
        self.counters.wrote(2);
        self.asker
            .seen(vec![(Stream::Events, partition, taken_at)])
            .await;
        Ok(Taken {
            seat,
            taken_at,
            ownership,
        })
    }

    /// Refuses a base that is too low before anybody is fenced: the next offset is not below the
    /// end.
    async fn check_epoch(&self, partition: u32, base: u64) -> Result<(), Error> {
        let former = position::find(&self.readers, partition).await?;
        let end = self.end(Stream::Events, partition).await?;
        let next = end.map_or(0, |end| end + 1);
        let former_epoch = former.map_or(0, |former| former.epoch);
        let epoch = base.checked_add(next).filter(|epoch| {
            i64::try_from(*epoch).is_ok() && (former.is_none() || *epoch > former_epoch)
        });
        match epoch {
            Some(_) => Ok(()),
            None => Err(Error::EpochTooLow {
                partition,
                base,
                former: former_epoch,
            }),
        }
    }

    fn check_open(&self) -> Result<(), Error> {
        if *self.closed.borrow() {
            return Err(Error::Closed);
        }
        Ok(())
    }
}

impl Drop for Kafka {
    fn drop(&mut self) {
        self.closed.send_replace(true);
    }
}

impl Counters {
    fn wait(&self) -> Waiting<'_> {
        self.waiting.fetch_add(1, Ordering::Relaxed);
        Waiting(&self.waiting)
    }

    fn wrote(&self, records: u64) {
        self.writes.fetch_add(1, Ordering::Relaxed);
        self.records.fetch_add(records, Ordering::Relaxed);
    }
}

/// One who waits, until it is dropped.
struct Waiting<'a>(&'a AtomicU64);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
