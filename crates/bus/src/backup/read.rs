use std::io::{BufRead, Read as _};

use sha2::{Digest as _, Sha256};

use super::line::{self, Head, LAYOUT, Line};
use crate::record::MAX_RECORD_BYTES;
use crate::{Error, Ownership, PARTITIONS, Record, Stream};

/// The longest line: a record whose every byte is written as six, and what stands around it.
const LINE_BYTES_MAX: usize = 6 * MAX_RECORD_BYTES + 4_096;

/// What a backup holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Contents {
    /// The program that wrote it.
    pub written_by: String,
    /// Events of all partitions.
    pub events: u64,
    /// Reports that were kept.
    pub reports: u64,
    /// Reports that nobody could read.
    pub rejected: u64,
}

/// Reads a backup to its last line, and changes nothing. Blocks while it reads.
///
/// # Errors
/// [`Error::Backup`] names the first line that is not as it should be.
pub fn check(lines: impl BufRead) -> Result<Contents, Error> {
    let mut reader = Reader::begin(lines)?;
    let mut contents = Contents {
        written_by: reader.written_by.clone(),
        ..Contents::default()
    };
    while let Some(record) = reader.next()? {
        contents.count(record.stream);
    }
    Ok(contents)
}

impl Contents {
    pub(super) fn count(&mut self, stream: Stream) {
        match stream {
            Stream::Events => self.events += 1,
            Stream::Reports => self.reports += 1,
            Stream::Rejected => self.rejected += 1,
            Stream::Commands | Stream::Snapshots => {}
        }
    }
}

/// A backup that is being read.
pub(super) struct Reader<R> {
    lines: R,
    line: u64,
    hash: Sha256,
    pub(super) written_by: String,
    /// By partition.
    pub(super) owners: Vec<Ownership>,
}

impl<R: BufRead> Reader<R> {
    pub(super) fn begin(lines: R) -> Result<Self, Error> {
        let mut reader = Self {
            lines,
            line: 0,
            hash: Sha256::new(),
            written_by: String::new(),
            owners: Vec::new(),
        };
        let bytes = reader.bytes()?;
        let head = match serde_json::from_slice(&bytes) {
            Ok(Line::Log(head)) => head,
            Ok(Line::Record(_) | Line::End(_)) | Err(_) => {
                return Err(reader.wrong("does not begin a backup: name a file of `log export`"));
            }
        };
        reader.hash.update(&bytes);
        reader.head(head)?;
        Ok(reader)
    }

    fn head(&mut self, head: Head) -> Result<(), Error> {
        if head.layout > LAYOUT {
            return Err(self.wrong(format!(
                "has layout {}, this Poolshift knows layouts up to {LAYOUT}: start a newer Poolshift",
                head.layout
            )));
        }
        if head.owners.len() != PARTITIONS as usize {
            return Err(self.wrong(format!(
                "names {} partitions, a log has {PARTITIONS}: take another backup",
                head.owners.len()
            )));
        }
        self.written_by = head.written_by;
        let owned = |owned: line::Owned| Ownership {
            epoch: owned.epoch,
            consumed: owned.consumed,
        };
        self.owners = head.owners.into_iter().map(owned).collect();
        Ok(())
    }

    /// The next record, `None` when the last line has been read and is right.
    pub(super) fn next(&mut self) -> Result<Option<Record>, Error> {
        let bytes = self.bytes()?;
        let line = serde_json::from_slice(&bytes);
        match line {
            Ok(Line::Record(kept)) => {
                self.hash.update(&bytes);
                let record = kept.record().map_err(|wrong| self.wrong(wrong))?;
                if record.partition >= PARTITIONS {
                    return Err(self.wrong(format!("names partition {}", record.partition)));
                }
                Ok(Some(record))
            }
            Ok(Line::End(end)) => self.end(&end).map(|()| None),
            Ok(Line::Log(_)) => Err(self.wrong("begins a second backup: give one file a backup")),
            Err(error) => Err(self.wrong(format!("cannot be read ({error}): take another backup"))),
        }
    }

    fn end(&mut self, end: &line::End) -> Result<(), Error> {
        let before = self.line - 1;
        if end.lines != before {
            return Err(self.wrong(format!(
                "counts {} lines before it, there are {before}: take another backup",
                end.lines
            )));
        }
        if end.sha256 != line::hex(&self.hash.clone().finalize()) {
            return Err(self.wrong(
                "bears another SHA-256 than the lines before it: they were changed; take another backup",
            ));
        }
        let mut rest = [0];
        match self.lines.read(&mut rest) {
            Ok(0) => Ok(()),
            Ok(_) => Err(self.wrong("is followed by more: give one file a backup")),
            Err(error) => Err(self.wrong(format!("cannot be read: {error}"))),
        }
    }

    /// A whole line.
    fn bytes(&mut self) -> Result<Vec<u8>, Error> {
        self.line += 1;
        let mut bytes = Vec::new();
        let mut limited = (&mut self.lines).take(LINE_BYTES_MAX as u64);
        let read = limited.read_until(b'\n', &mut bytes);
        if let Err(error) = read {
            return Err(self.wrong(format!("cannot be read: {error}")));
        }
        if bytes.last() == Some(&b'\n') {
            return Ok(bytes);
        }
        Err(self.wrong(if bytes.len() == LINE_BYTES_MAX {
            "is longer than any record: name a file of `log export`"
        } else {
            "is missing or cut short: the backup did not end; take another one"
        }))
    }

    fn wrong(&self, detail: impl Into<String>) -> Error {
        Error::Backup {
            line: self.line,
            detail: detail.into(),
        }
    }
}
