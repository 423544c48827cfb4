use rusqlite::Connection;

use super::file::{offset, stored};
use super::schema::table;
use crate::{PARTITIONS, Stream};

/// The offset of the last record of each partition of each stream; 0 when there is none, because
/// offsets start at 1. Followers wake by it and ask the file only for what they have not read.
#[derive(Clone, Debug, Default)]
pub(super) struct Ends(std::collections::BTreeMap<(Stream, u32), u64>);

impl Ends {
    pub(super) fn load(conn: &Connection) -> rusqlite::Result<Self> {
        let mut ends = Self::default();
        for stream in Stream::ALL {
            for partition in 0..PARTITIONS {
                if let Some(last) = last(conn, stream, partition)? {
                    ends.raise(stream, partition, last);
                }
            }
        }
        Ok(ends)
    }

    pub(super) fn get(&self, stream: Stream, partition: u32) -> u64 {
        self.0
            .get(&(stream, partition))
            .copied()
            .unwrap_or_default()
    }

    pub(super) fn raise(&mut self, stream: Stream, partition: u32, offset: u64) {
        let end = self.0.entry((stream, partition)).or_default();
        *end = offset.max(*end);
    }
}

/// The offset of the last record in the file.
pub(super) fn last(
    conn: &Connection,
    stream: Stream,
    partition: u32,
) -> rusqlite::Result<Option<u64>> {
    let sql = format!(
        "SELECT max(offset) FROM {} WHERE partition = ?1",
        table(stream)
    );
    conn.prepare_cached(&sql)?
        .query_row([stored(partition.into())], |row| {
            Ok(row.get::<_, Option<i64>>(0)?.map(offset))
        })
}
