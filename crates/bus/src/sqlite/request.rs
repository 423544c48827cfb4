use std::time::{SystemTime, UNIX_EPOCH};

use rusqlite::{Connection, OptionalExtension, params};

use super::file::{File, offset, stored};
use super::schema::table;
use crate::{Commit, Error, Outgoing, Stream};

/// How many records one transaction deletes at most, so that writers need not wait long.
const EXPIRE_AT_ONCE: u32 = 1_000;

/// Something to write, in one transaction or one savepoint of it.
#[derive(Debug)]
pub(crate) enum Request {
    Append {
        stream: Stream,
        partition: u32,
        records: Vec<Outgoing>,
    },
    Own {
        partition: u32,
        base: u64,
        taken: Outgoing,
    },
    Commit {
        partition: u32,
        epoch: u64,
        commit: Commit,
    },
    Expire {
        stream: Stream,
        older_than_ms: u64,
    },
}

/// What a request came to.
#[derive(Debug, Default)]
pub(crate) struct Answer {
    /// Of the records appended; for a commit, of its events.
    pub(crate) offsets: Vec<u64>,
    /// Own: the position of the last report that was consumed.
    pub(crate) consumed: Option<u64>,
    /// Expire: how many records were deleted.
    pub(crate) deleted: u64,
    /// How many records were written.
    pub(super) records: u64,
    /// The last record written to each stream and partition.
    pub(super) ends: Vec<(Stream, u32, u64)>,
}

/// The transaction that requests run in.
pub(super) struct Transaction<'a> {
    pub(super) conn: &'a Connection,
    pub(super) file: &'a File,
    pub(super) max_bytes: Option<u64>,
}

impl Transaction<'_> {
    pub(super) fn run(&self, request: &Request) -> Result<Answer, Error> {
        let mut answer = Answer::default();
        match request {
            Request::Append {
                stream,
                partition,
                records,
            } => {
                self.check_room()?;
                answer.offsets = self.write(&mut answer, *stream, *partition, records)?;
            }
            Request::Own {
                partition,
                base,
                taken,
            } => {
                self.own(&mut answer, *partition, *base, taken)?;
            }
            Request::Commit {
                partition,
                epoch,
                commit,
            } => {
                self.commit(&mut answer, *partition, *epoch, commit)?;
            }
            Request::Expire {
                stream,
                older_than_ms,
            } => {
                answer.deleted = self.expire(*stream, *older_than_ms)?;
            }
        }
        Ok(answer)
    }

    fn own(
        &self,
        answer: &mut Answer,
        partition: u32,
        base: u64,
        taken: &Outgoing,
    ) -> Result<(), Error> {
        let former = self.owner(partition)?;
        answer.offsets = self.write(
            answer,
            Stream::Events,
            partition,
            std::slice::from_ref(taken),
        )?;
        let taken_at = answer.offsets.first().copied().unwrap_or_default();
        let former_epoch = former.map_or(0, |owner| owner.epoch);
        let epoch = base
            .checked_add(taken_at)
            .filter(|epoch| *epoch > former_epoch && i64::try_from(*epoch).is_ok())
            .ok_or(Error::EpochTooLow {
                partition,
                base,
                former: former_epoch,
            })?;
        answer.consumed = former.and_then(|owner| owner.consumed);
        self.conn
            .prepare_cached(
                "INSERT INTO owner (partition, epoch, taken_at) VALUES (?1, ?2, ?3)
                 ON CONFLICT (partition) DO UPDATE SET epoch = ?2, taken_at = ?3",
            )
            .and_then(|mut sql| sql.execute(params![partition, stored(epoch), stored(taken_at)]))
            .map_err(|error| self.file.error(&error))?;
        Ok(())
    }

    fn commit(
        &self,
        answer: &mut Answer,
        partition: u32,
        epoch: u64,
        commit: &Commit,
    ) -> Result<(), Error> {
        let owner = self
            .owner(partition)?
            .filter(|owner| owner.epoch == epoch)
            .ok_or(Error::Fenced { partition, epoch })?;
        if let Some(asked) = commit.consumed {
            if let Some(stored) = owner.consumed.filter(|stored| *stored >= asked) {
                return Err(Error::AlreadyConsumed {
                    partition,
                    asked,
                    stored,
                });
            }
            self.conn
                .prepare_cached("UPDATE owner SET consumed = ?2 WHERE partition = ?1")
                .and_then(|mut sql| sql.execute(params![partition, stored(asked)]))
                .map_err(|error| self.file.error(&error))?;
        }
        answer.offsets = self.write(answer, Stream::Events, partition, &commit.events)?;
        self.write(answer, Stream::Commands, partition, &commit.commands)?;
        self.write(answer, Stream::Snapshots, partition, &commit.snapshots)?;
        self.write(answer, Stream::Rejected, partition, &commit.rejected)?;
        for (partition, report) in &commit.reports {
            let report = std::slice::from_ref(report);
            self.write(answer, Stream::Reports, *partition, report)?;
        }
        Ok(())
    }

    fn owner(&self, partition: u32) -> Result<Option<Ownership>, Error> {
        self.conn
            .prepare_cached("SELECT epoch, consumed FROM owner WHERE partition = ?1")
            .and_then(|mut sql| {
                sql.query_row([partition], |row| {
                    Ok(Ownership {
                        epoch: offset(row.get(0)?),
                        consumed: row.get::<_, Option<i64>>(1)?.map(offset),
                    })
                })
                .optional()
            })
            .map_err(|error| self.file.error(&error))
    }

    fn write(
        &self,
        answer: &mut Answer,
        stream: Stream,
        partition: u32,
        records: &[Outgoing],
    ) -> Result<Vec<u64>, Error> {
        // REPLACE deletes the older record of the key where a unique index says so: compaction.
        let sql = format!(
            "INSERT OR REPLACE INTO {} (partition, key, headers, value, appended_at_ms) \
             VALUES (?1, ?2, ?3, ?4, ?5)",
            table(stream)
        );
        let failed = |error: rusqlite::Error| self.file.error(&error);
        let mut insert = self.conn.prepare_cached(&sql).map_err(failed)?;
        let mut offsets = Vec::with_capacity(records.len());
        for record in records {
            let headers = serde_json::to_string(&record.headers)
                .map_err(|error| self.file.storage(&error))?;
            insert
                .execute(params![
                    partition,
                    record.key,
                    headers,
                    record.value,
                    now_ms()
                ])
                .map_err(failed)?;
            offsets.push(offset(self.conn.last_insert_rowid()));
        }
        answer.records += records.len() as u64;
        answer
            .ends
            .extend(offsets.last().map(|last| (stream, partition, *last)));
        Ok(offsets)
    }

    fn check_room(&self) -> Result<(), Error> {
        let Some(limit) = self.max_bytes else {
            return Ok(());
        };
        let used: i64 = self
            .conn
            .prepare_cached(
                "SELECT (page_count - freelist_count) * page_size
                 FROM pragma_page_count, pragma_freelist_count, pragma_page_size",
            )
            .and_then(|mut sql| sql.query_row([], |row| row.get(0)))
            .map_err(|error| self.file.error(&error))?;
        if offset(used) < limit {
            return Ok(());
        }
        Err(self
            .file
            .full(format!("it holds {used} bytes, its limit is {limit}")))
    }

    fn expire(&self, stream: Stream, older_than_ms: u64) -> Result<u64, Error> {
        let table = table(stream);
        let unless_wanted = match stream {
            Stream::Reports => {
                "AND offset <= (SELECT consumed FROM owner WHERE partition = old.partition)"
            }
            Stream::Events | Stream::Commands | Stream::Snapshots | Stream::Rejected => "",
        };
        // Records were appended in the order of their offsets, so it is all before the first young.
        let sql = format!(
            "DELETE FROM {table} WHERE offset IN (
               SELECT offset FROM {table} AS old
               WHERE offset < coalesce((SELECT offset FROM {table} WHERE appended_at_ms >= ?1
                                        ORDER BY offset LIMIT 1), {})
                 AND offset < (SELECT max(offset) FROM {table} WHERE partition = old.partition)
                 {unless_wanted}
               ORDER BY offset LIMIT {EXPIRE_AT_ONCE})",
            i64::MAX
        );
        self.conn
            .prepare_cached(&sql)
            .and_then(|mut sql| sql.execute([stored(older_than_ms)]))
            .map(|deleted| deleted as u64)
            .map_err(|error| self.file.error(&error))
    }
}

#[derive(Clone, Copy)]
struct Ownership {
    epoch: u64,
    consumed: Option<u64>,
}

fn now_ms() -> i64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
