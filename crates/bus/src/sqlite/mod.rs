//! The streams as tables of one SQLite file: one thread writes, a few connections read.

mod ends;
mod file;
mod group;
mod lock;
mod readers;
mod request;
mod schema;
mod tail;
mod writer;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rusqlite::OptionalExtension;
use tokio::sync::{mpsc, oneshot, watch};

use crate::{Error, Options, Ownership, Position, Record, Room, Stats, Stream};

use ends::Ends;
use file::{File, offset};
use readers::Readers;
use writer::{Counters, Job, QUEUE, Writer};

pub(crate) use request::{Answer, Request};
pub(crate) use tail::Tail;

/// How long a writer waits for the disk before it says that the outcome is unknown.
const ANSWER_LIMIT: Duration = Duration::from_secs(30);

/// One open log.
#[derive(Debug)]
pub(crate) struct Log {
    file: Arc<File>,
    jobs: mpsc::Sender<Job>,
    ends: watch::Receiver<Ends>,
    readers: Arc<Readers>,
    counters: Arc<Counters>,
}

impl Log {
    pub(crate) fn open(path: &Path, options: &Options) -> Result<Self, Error> {
        let file = Arc::new(File::new(path)?);
        let lock = lock::take(&file)?;
        let conn = schema::open(&file)?;
        let ends = Ends::load(&conn).map_err(|error| file.error(&error))?;
        let (ends_sender, ends) = watch::channel(ends);
        let (jobs, queue) = mpsc::channel(QUEUE);
        let readers = Arc::new(Readers::new(Arc::clone(&file)));
        let counters = Arc::new(Counters::default());
        let writer = Writer {
            conn,
            lock,
            file: Arc::clone(&file),
            max_bytes: options.max_bytes,
            queue,
            ends: ends_sender,
            readers: Arc::clone(&readers),
            counters: Arc::clone(&counters),
        };
        std::thread::Builder::new()
            .name("bus-writer".to_owned())
            .spawn(move || writer.run())
            .map_err(|error| file.storage(&error))?;
        Ok(Self {
            file,
            jobs,
            ends,
            readers,
            counters,
        })
    }

    pub(crate) async fn submit(&self, request: Request) -> Result<Answer, Error> {
        let (answer, answered) = oneshot::channel();
        let submit = async {
            let place = self.jobs.reserve().await.map_err(|_closed| Error::Closed)?;
            self.counters.wait();
            place.send(Job::Write { request, answer });
            answered.await.map_err(|_closed| Error::Closed)?
        };
        match tokio::time::timeout(ANSWER_LIMIT, submit).await {
            Ok(answer) => answer,
            Err(_elapsed) => Err(self.file.silent(ANSWER_LIMIT)),
        }
    }

    pub(crate) fn follow(
        &self,
        stream: Stream,
        partitions: &[u32],
        from: &Position,
    ) -> Result<Tail, Error> {
        Tail::new(
            stream,
            partitions,
            from,
            Arc::clone(&self.readers),
            self.ends.clone(),
        )
    }

    pub(crate) async fn end(&self, stream: Stream, partition: u32) -> Result<Option<u64>, Error> {
        self.readers
            .read(move |conn| ends::last(conn, stream, partition))
            .await
    }

    pub(crate) async fn read(
        &self,
        stream: Stream,
        partition: u32,
        offsets: Vec<u64>,
    ) -> Result<Vec<Record>, Error> {
        self.readers
            .read(move |conn| readers::at(conn, stream, partition, &offsets))
            .await
    }

    pub(crate) async fn latest(
        &self,
        stream: Stream,
        partition: u32,
    ) -> Result<Vec<Record>, Error> {
        self.readers
            .read(move |conn| readers::all(conn, stream, partition))
            .await
    }

    pub(crate) async fn ownership(&self, partition: u32) -> Result<Option<Ownership>, Error> {
        self.readers
            .read(move |conn| {
                conn.prepare_cached("SELECT epoch, consumed FROM owner WHERE partition = ?1")?
                    .query_row([partition], |row| {
                        Ok(Ownership {
                            epoch: offset(row.get(0)?),
                            consumed: row.get::<_, Option<i64>>(1)?.map(offset),
                        })
                    })
                    .optional()
            })
            .await
    }

    pub(crate) async fn room(&self) -> Result<Room, Error> {
        let file = Arc::clone(&self.file);
        let look = tokio::task::spawn_blocking(move || file.room());
        match tokio::time::timeout(ANSWER_LIMIT, look).await {
            Ok(Ok(room)) => room,
            Ok(Err(broken)) => Err(self.file.storage(&broken)),
            Err(_elapsed) => Err(self.file.silent(ANSWER_LIMIT)),
        }
    }

    pub(crate) fn stats(&self) -> Stats {
        self.counters.stats()
    }

    pub(crate) async fn close(&self) -> Result<(), Error> {
        let close = async {
            // Refused only when it is closing already.
            let _ = self.jobs.send(Job::Close).await;
            let mut ends = self.ends.clone();
            // The writer lets go of the file first and of this channel last.
            while ends.changed().await.is_ok() {}
        };
        let closed = tokio::time::timeout(ANSWER_LIMIT, close).await;
        closed.map_err(|_elapsed| self.file.silent(ANSWER_LIMIT))
    }
}
