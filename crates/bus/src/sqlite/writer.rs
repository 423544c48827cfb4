use std::fs::File as OsFile;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot, watch};

use super::ends::Ends;
use super::file::File;
use super::group;
use super::readers::Readers;
use super::request::{Answer, Request, Transaction};
use crate::{Error, Stats};

/// How many requests may wait before their senders do.
pub(super) const QUEUE: usize = 256;
/// How many requests share a transaction at most.
const GROUP: usize = 256;

#[derive(Debug)]
pub(super) enum Job {
    Write {
        request: Request,
        answer: oneshot::Sender<Result<Answer, Error>>,
    },
    Close,
}

/// The only one that writes to the file, on a thread of its own.
pub(super) struct Writer {
    pub(super) conn: Connection,
    pub(super) lock: OsFile,
    pub(super) file: Arc<File>,
    pub(super) max_bytes: Option<u64>,
    pub(super) queue: mpsc::Receiver<Job>,
    pub(super) ends: watch::Sender<Ends>,
    pub(super) readers: Arc<Readers>,
    pub(super) counters: Arc<Counters>,
}

impl Writer {
    /// Ends when the bus is closed or dropped, after all that waited was answered.
    pub(super) fn run(mut self) {
        while let Some(first) = self.queue.blocking_recv() {
            let mut requests = Vec::new();
            let mut answers = Vec::new();
            let mut next = Some(first);
            while let Some(job) = next {
                match job {
                    Job::Write { request, answer } => {
                        requests.push(request);
                        answers.push(answer);
                    }
                    Job::Close => self.queue.close(),
                }
                next = if requests.len() < GROUP {
                    self.queue.try_recv().ok()
                } else {
                    None
                };
            }
            for (answer, done) in answers.into_iter().zip(self.write(&requests)) {
                self.counters.answered();
                // The caller may have given up waiting.
                let _ = answer.send(done);
            }
        }
        self.finish();
    }

    fn write(&self, requests: &[Request]) -> Vec<Result<Answer, Error>> {
        let group: Vec<&Request> = requests.iter().collect();
        match self.commit(&group) {
            Ok(answers) => answers,
            // One of them may be too big for the room there is, and the others not.
            Err(Error::Full { .. }) if group.len() > 1 => group
                .into_iter()
                .map(|request| self.commit(&[request])?.pop().unwrap_or(Err(Error::Closed)))
                .collect(),
            Err(error) => group.iter().map(|_| Err(error.clone())).collect(),
        }
    }

    fn commit(&self, group: &[&Request]) -> Result<Vec<Result<Answer, Error>>, Error> {
        if group.is_empty() {
            return Ok(Vec::new());
        }
        let transaction = Transaction {
            conn: &self.conn,
            file: &self.file,
            max_bytes: self.max_bytes,
        };
        let answers = group::commit(&transaction, group)?;
        self.counters.flushed(&answers);
        self.ends.send_if_modified(|ends| {
            let mut modified = false;
            for (stream, partition, offset) in answers.iter().flatten().flat_map(|done| &done.ends)
            {
                ends.raise(*stream, *partition, *offset);
                modified = true;
            }
            modified
        });
        Ok(answers)
    }

    fn finish(self) {
        let Self {
            conn,
            lock,
            file,
            ends,
            readers,
            ..
        } = self;
        readers.close();
        // So that the log is one file again. What it cannot do now, the next start does.
        let truncated = conn.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
        if let Err(error) = truncated.and_then(|()| conn.close().map_err(|(_, error)| error)) {
            tracing::warn!(file = %file.path().display(), %error, "the log is left in two files");
        }
        // Dropping it is not enough while a program that is being started still has a copy of it.
        if let Err(error) = lock.unlock() {
            tracing::warn!(file = %file.path().display(), %error, "the lock stays until we end");
        }
        drop(ends);
    }
}

/// What the writer has done.
#[derive(Debug, Default)]
pub(super) struct Counters {
    writes: AtomicU64,
    records: AtomicU64,
    flushes: AtomicU64,
    waiting: AtomicU64,
}

impl Counters {
    pub(super) fn wait(&self) {
        self.waiting.fetch_add(1, Ordering::Relaxed);
    }

    fn answered(&self) {
        self.waiting.fetch_sub(1, Ordering::Relaxed);
    }

    fn flushed(&self, answers: &[Result<Answer, Error>]) {
        let (mut writes, mut records) = (0, 0);
        for done in answers.iter().flatten() {
            writes += 1;
            records += done.records;
        }
        self.writes.fetch_add(writes, Ordering::Relaxed);
        self.records.fetch_add(records, Ordering::Relaxed);
        self.flushes
            .fetch_add(u64::from(writes > 0), Ordering::Relaxed);
    }

    pub(super) fn stats(&self) -> Stats {
        Stats {
            writes: self.writes.load(Ordering::Relaxed),
            records: self.records.load(Ordering::Relaxed),
            flushes: Some(self.flushes.load(Ordering::Relaxed)),
            waiting: self.waiting.load(Ordering::Relaxed),
        }
    }
}
