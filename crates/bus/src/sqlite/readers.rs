use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rusqlite::{Connection, OptionalExtension as _, Row, params};
use tokio::sync::Semaphore;

use super::file::{File, offset, stored};
use super::schema::{self, table};
use crate::{Error, Record, Stream};

/// How many reads run at once.
const READERS: usize = 4;
/// How many records of a partition are read at once,
const PAGE: u32 = 256;
/// and about how many bytes of them.
const PAGE_BYTES: usize = 4 << 20;
/// How long a read waits for the disk.
const READ_LIMIT: Duration = Duration::from_secs(30);

/// Connections that only read, apart from the one that writes.
#[derive(Debug)]
pub(super) struct Readers {
    file: Arc<File>,
    /// `None` when the bus is closed.
    idle: Mutex<Option<Vec<Connection>>>,
    slots: Arc<Semaphore>,
}

impl Readers {
    pub(super) fn new(file: Arc<File>) -> Self {
        Self {
            file,
            idle: Mutex::new(Some(Vec::new())),
            slots: Arc::new(Semaphore::new(READERS)),
        }
    }

    pub(super) async fn read<T: Send + 'static>(
        self: &Arc<Self>,
        query: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, Error> {
        let read = async {
            let slot = Arc::clone(&self.slots).acquire_owned().await;
            let slot = slot.map_err(|_closed| Error::Closed)?;
            let readers = Arc::clone(self);
            let done = tokio::task::spawn_blocking(move || {
                let _slot = slot;
                readers.read_now(query)
            });
            done.await.map_err(|error| self.file.storage(&error))?
        };
        match tokio::time::timeout(READ_LIMIT, read).await {
            Ok(done) => done,
            Err(_elapsed) => Err(self.file.silent(READ_LIMIT)),
        }
    }

    /// Closes those that are idle now and the others when their read ends.
    pub(super) fn close(&self) {
        *self.idle() = None;
        self.slots.close();
    }

    fn read_now<T>(
        &self,
        query: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, Error> {
        let idle = self.idle().as_mut().ok_or(Error::Closed)?.pop();
        let done = match idle {
            Some(conn) => Ok(conn),
            None => schema::open_reader(&self.file),
        }
        .and_then(|conn| Ok((query(&conn)?, conn)));
        let (found, conn) = done.map_err(|error| self.file.error(&error))?;
        if let Some(idle) = self.idle().as_mut() {
            idle.push(conn);
        }
        Ok(found)
    }

    fn idle(&self) -> MutexGuard<'_, Option<Vec<Connection>>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The records of a partition after an offset, in order: a page of them.
pub(super) fn page(
    conn: &Connection,
    stream: Stream,
    partition: u32,
    after: u64,
) -> rusqlite::Result<Vec<Record>> {
    let sql = format!(
        "{} AND offset > ?2 ORDER BY offset LIMIT {PAGE}",
        select(stream)
    );
    let mut select = conn.prepare_cached(&sql)?;
    let mut rows = select.query(params![partition, stored(after)])?;
    let mut page = Vec::new();
    let mut bytes = 0;
    while bytes < PAGE_BYTES
        && let Some(row) = rows.next()?
    {
        let record = record(stream, partition, row)?;
        bytes += record.value.len();
        page.push(record);
    }
    Ok(page)
}

/// The records of a partition at these offsets, as far as they are there.
pub(super) fn at(
    conn: &Connection,
    stream: Stream,
    partition: u32,
    offsets: &[u64],
) -> rusqlite::Result<Vec<Record>> {
    let mut select = conn.prepare_cached(&format!("{} AND offset = ?2", select(stream)))?;
    let mut found = Vec::with_capacity(offsets.len());
    for offset in offsets {
        let one = select
            .query_row(params![partition, stored(*offset)], |row| {
                record(stream, partition, row)
            })
            .optional()?;
        found.extend(one);
    }
    Ok(found)
}

/// All records of a partition, in order.
pub(super) fn all(
    conn: &Connection,
    stream: Stream,
    partition: u32,
) -> rusqlite::Result<Vec<Record>> {
    conn.prepare_cached(&format!("{} ORDER BY offset", select(stream)))?
        .query_map([partition], |row| record(stream, partition, row))?
        .collect()
}

fn select(stream: Stream) -> String {
    format!(
        "SELECT offset, key, headers, value FROM {} WHERE partition = ?1",
        table(stream)
    )
}

fn record(stream: Stream, partition: u32, row: &Row<'_>) -> rusqlite::Result<Record> {
    let headers: String = row.get(2)?;
    let headers = serde_json::from_str(&headers).map_err(|error| {
        rusqlite::Error::FromSqlConversionFailure(2, rusqlite::types::Type::Text, error.into())
    })?;
    Ok(Record {
        stream,
        partition,
        offset: offset(row.get(0)?),
        key: row.get(1)?,
        headers,
        value: row.get(3)?,
    })
}
