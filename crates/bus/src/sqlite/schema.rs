use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

use super::file::File;
use crate::{Error, Stream};

/// Says in bytes 68 to 71 of the file that it is a log of Poolshift: "Pool".
const APPLICATION_ID: i64 = 0x506f_6f6c;
/// Counts up when the tables change.
const LAYOUT: i64 = 1;
/// Ours is the only writer, so this is met only beside a tool that copies the file.
const BUSY_LIMIT: Duration = Duration::from_secs(5);

/// The table of a stream.
pub(super) fn table(stream: Stream) -> &'static str {
    match stream {
        Stream::Reports => "reports",
        Stream::Events => "events",
        Stream::Commands => "commands",
        Stream::Snapshots => "snapshots",
        Stream::Rejected => "rejected",
    }
}

/// The connection that writes. Looks at the file before it touches it.
pub(super) fn open(file: &File) -> Result<Connection, Error> {
    let failed = |error: rusqlite::Error| file.error(&error);
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_CREATE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let conn = Connection::open_with_flags(file.path(), flags).map_err(failed)?;
    conn.busy_timeout(BUSY_LIMIT).map_err(failed)?;
    let is_new = recognise(&conn, file)?;
    let mode: String = conn
        .pragma_update_and_check(None, "journal_mode", "wal", |row| row.get(0))
        .map_err(failed)?;
    if mode != "wal" {
        return Err(file.storage(&"no write-ahead log is possible here: use a local disk"));
    }
    conn.pragma_update(None, "synchronous", "full")
        .map_err(failed)?;
    conn.pragma_update(None, "journal_size_limit", 64 << 20)
        .map_err(failed)?;
    if is_new {
        conn.execute_batch(&create()).map_err(failed)?;
    }
    Ok(conn)
}

/// A connection that reads.
pub(super) fn open_reader(file: &File) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let conn = Connection::open_with_flags(file.path(), flags)?;
    conn.busy_timeout(BUSY_LIMIT)?;
    Ok(conn)
}

/// Whether the file is new (`true`) or a log that we know; anything else is an error.
fn recognise(conn: &Connection, file: &File) -> Result<bool, Error> {
    let number = |sql: &str| conn.query_row(sql, [], |row| row.get::<_, i64>(0));
    let failed = |error: rusqlite::Error| file.error(&error);
    let application = number("PRAGMA application_id").map_err(failed)?;
    let layout = number("PRAGMA user_version").map_err(failed)?;
    let tables = number("SELECT count(*) FROM sqlite_schema").map_err(failed)?;
    if application == 0 && layout == 0 && tables == 0 {
        return Ok(true);
    }
    if application != APPLICATION_ID {
        return Err(Error::NotOurs {
            path: file.path().to_owned(),
            detail: "a database of another program".to_owned(),
        });
    }
    if layout > LAYOUT {
        return Err(Error::TooNew {
            path: file.path().to_owned(),
            found: layout,
            known: LAYOUT,
        });
    }
    Ok(false)
}

/// One transaction, so that a process killed in it leaves an empty file.
fn create() -> String {
    let mut sql = "BEGIN IMMEDIATE;".to_owned();
    for stream in Stream::ALL {
        let table = table(stream);
        // AUTOINCREMENT: no offset is given twice, also after compaction.
        sql += &format!(
            "CREATE TABLE {table} (offset INTEGER PRIMARY KEY AUTOINCREMENT, \
               partition INTEGER NOT NULL, key TEXT NOT NULL, headers TEXT NOT NULL, \
               value BLOB NOT NULL, appended_at_ms INTEGER NOT NULL) STRICT;
             CREATE INDEX {table}_by_partition ON {table} (partition);"
        );
        if stream.is_compacted() {
            sql += &format!("CREATE UNIQUE INDEX {table}_by_key ON {table} (partition, key);");
        }
    }
    sql += &format!(
        "CREATE TABLE owner (partition INTEGER PRIMARY KEY, epoch INTEGER NOT NULL, \
           taken_at INTEGER NOT NULL, consumed INTEGER) STRICT;
         PRAGMA application_id = {APPLICATION_ID};
         PRAGMA user_version = {LAYOUT};
         COMMIT;"
    );
    sql
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_commit_is_flushed_to_the_disk_before_it_returns() {
        let folder = tempfile::tempdir().unwrap();
        let conn = open(&File::new(&folder.path().join("log")).unwrap()).unwrap();
        let mode: String = conn
            .query_row("PRAGMA journal_mode", [], |row| row.get(0))
            .unwrap();
        let synchronous: i64 = conn
            .query_row("PRAGMA synchronous", [], |row| row.get(0))
            .unwrap();
        let full = 2;
        assert_eq!((mode.as_str(), synchronous), ("wal", full));
    }
}
