use std::collections::VecDeque;
use std::time::Duration;

use sha2::{Digest as _, Sha256};

use super::STREAMS;
use super::line::{self, End, Head, LAYOUT, Line};
use crate::{Bus, Error, Follower, PARTITIONS, Position, Stream};

/// How many records are made into lines at once.
const BATCH: usize = 500;

/// A backup that is being written. Nothing is locked meanwhile, and little is in memory.
#[derive(Debug)]
pub struct Export {
    bus: Bus,
    head: Option<Vec<u8>>,
    parts: VecDeque<Part>,
    lines: u64,
    hash: Sha256,
    ended: bool,
}

/// One stream of one partition, up to the end that was noted.
#[derive(Debug)]
struct Part {
    stream: Stream,
    partition: u32,
    end: Option<u64>,
    follower: Option<Follower>,
}

impl Export {
    /// Notes positions and ends: what is appended later is in the next backup. `written_by` names
    /// the program and its version, for whoever finds the file.
    ///
    /// # Errors
    /// The storage's.
    pub async fn begin(bus: &Bus, written_by: &str) -> Result<Self, Error> {
        let mut owners = Vec::new();
        for partition in 0..PARTITIONS {
            owners.push(bus.ownership(partition).await?.into());
        }
        let mut parts = Vec::new();
        for stream in STREAMS {
            for partition in 0..PARTITIONS {
                parts.push(Part {
                    stream,
                    partition,
                    end: bus.end(stream, partition).await?,
                    follower: None,
                });
            }
        }
        parts.sort_by_key(|part| part.partition);
        let head = Head {
            layout: LAYOUT,
            written_by: written_by.to_owned(),
            owners,
        };
        Ok(Self {
            bus: bus.clone(),
            head: Some(line::bytes(&Line::Log(head))),
            parts: parts.into(),
            lines: 0,
            hash: Sha256::new(),
            ended: false,
        })
    }

    /// The next lines, `None` after the last one. A backup without its last line is none.
    ///
    /// # Errors
    /// The storage's; the place is kept, so it may be called again.
    pub async fn next(&mut self) -> Result<Option<Vec<u8>>, Error> {
        if let Some(head) = self.head.take() {
            return Ok(Some(self.counted(1, head)));
        }
        while let Some(part) = self.parts.front_mut() {
            let records = part.next(&self.bus).await?;
            if records.is_empty() {
                self.parts.pop_front();
                continue;
            }
            let mut bytes = Vec::new();
            let count = records.len() as u64;
            for record in records {
                bytes.extend(line::bytes(&Line::Record(record.into())));
            }
            return Ok(Some(self.counted(count, bytes)));
        }
        if std::mem::replace(&mut self.ended, true) {
            return Ok(None);
        }
        let end = End {
            lines: self.lines,
            sha256: line::hex(&self.hash.clone().finalize()),
        };
        Ok(Some(line::bytes(&Line::End(end))))
    }

    fn counted(&mut self, lines: u64, bytes: Vec<u8>) -> Vec<u8> {
        self.lines += lines;
        self.hash.update(&bytes);
        bytes
    }
}

impl Part {
    /// The next records up to the end that was noted; none when it is reached.
    async fn next(&mut self, bus: &Bus) -> Result<Vec<crate::Record>, Error> {
        let Some(end) = self.end else {
            return Ok(Vec::new());
        };
        let follower = match &mut self.follower {
            Some(follower) => follower,
            None => {
                let follower = bus.follow(self.stream, &[self.partition], &Position::Start)?;
                self.follower.insert(follower)
            }
        };
        if follower.position(self.partition) >= Some(end) {
            return Ok(Vec::new());
        }
        let mut records = follower.next_batch(BATCH, Duration::ZERO).await?;
        records.retain(|record| record.offset <= end);
        Ok(records)
    }
}
