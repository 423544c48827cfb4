//! The journal on disk: one file of lines, each with its checksum, each on the disk when `append`
//! returns. It survives `kill -9` at any point: a last line that is torn was never acted on.

use std::fs::{File, OpenOptions};
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use events::sha256;

use crate::journal::{Entry, Journal};
use crate::{disk, platform};

/// Why the journal cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Another agent has it.
    #[error("{} is in use by another agent on this machine; stop that one first", .0.display())]
    InUse(PathBuf),
    /// A line in the middle does not fit its checksum.
    #[error(
        "{}: line {line} is damaged and good lines follow it, so this is no torn last write; \
         move the file away only after you have looked at what runs on this machine", .path.display()
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// The first bad line, from 1.
        line: usize,
    },
    /// There is no room, not even the room held back for answers.
    #[error("no room on the disk for the journal {}; free some", .0.display())]
    DiskFull(PathBuf),
    /// Any other trouble of the disk.
    #[error("journal {}: {source}", .path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
}

/// The journal and its file.
#[derive(Debug)]
pub struct Ledger {
    path: PathBuf,
    reserve: PathBuf,
    /// None after a compaction: a file that is open cannot be replaced everywhere.
    file: Option<File>,
    good_bytes: u64,
    /// The file's size after the last compaction, or the last attempt at one.
    base_bytes: u64,
    /// Whether the folder is known to name this file, also after a power cut.
    is_name_durable: bool,
    journal: Journal,
    _lock: File,
}

/// Held back so that an answer can be written when the disk is full: 50 failed tests of 1 KiB each
/// and their neighbours fit in.
const RESERVE_BYTES: usize = 256 * 1024;
const COMPACT_ABOVE_BYTES: u64 = 1024 * 1024;
const CHECKSUM_CHARS: usize = 16;

impl Ledger {
    /// Opens the journal in this folder, or begins one.
    ///
    /// # Errors
    /// [`Error::InUse`] when another process has it, [`Error::Damaged`] when it cannot be
    /// believed, else what the disk said.
    pub fn open(folder: &Path) -> Result<Self, Error> {
        let path = folder.join("journal.jsonl");
        let io = |source| Error::Io {
            path: path.clone(),
            source,
        };
        std::fs::create_dir_all(folder).map_err(io)?;
        // Outputs of programs lie here as they are, with the secrets in them.
        platform::set_mode(folder, 0o700).map_err(io)?;
        let lock = platform::lock(&folder.join("lock"))
            .map_err(io)?
            .ok_or_else(|| Error::InUse(path.clone()))?;
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(io)?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).map_err(io)?;
        let (mut journal, good_bytes) = read(&bytes).map_err(|line| Error::Damaged {
            path: path.clone(),
            line,
        })?;
        journal.new_life();
        file.set_len(good_bytes).map_err(io)?;
        platform::sync_folder(folder).map_err(io)?;
        Ok(Self {
            reserve: folder.join("journal.reserve"),
            path,
            file: Some(file),
            good_bytes,
            base_bytes: 0,
            is_name_durable: true,
            journal,
            _lock: lock,
        })
    }

    /// What it says.
    #[must_use]
    pub const fn journal(&self) -> &Journal {
        &self.journal
    }

    /// This life takes care of what a former one had begun.
    pub const fn take_over(&mut self) {
        self.journal.take_over();
    }

    /// Writes a line; it is on the disk when this returns.
    ///
    /// # Errors
    /// [`Error::DiskFull`] or [`Error::Io`]: then nothing has changed.
    pub fn append(&mut self, entry: &Entry) -> Result<(), Error> {
        if self.good_bytes > COMPACT_ABOVE_BYTES.max(self.base_bytes.saturating_mul(2)) {
            self.compact();
        }
        if !self.is_name_durable {
            let folder = self.path.parent().unwrap_or(Path::new("."));
            platform::sync_folder(folder).map_err(|error| self.error(error))?;
            self.is_name_durable = true;
        }
        let line = line(entry);
        let written = match self.write(&line) {
            Err(error) if disk::is_full(&error) => {
                // The room that was held back for this moment.
                let _gone = std::fs::remove_file(&self.reserve);
                self.write(&line)
            }
            other => other,
        };
        written.map_err(|error| self.error(error))?;
        self.journal.apply(entry);
        Ok(())
    }

    /// Whether there is room for a whole piece of work: its beginning, its steps and its answer.
    ///
    /// # Errors
    /// [`Error::DiskFull`] when there is none: no work may begin.
    pub fn hold_room(&self) -> Result<(), Error> {
        let has_it = std::fs::metadata(&self.reserve)
            .is_ok_and(|found| usize::try_from(found.len()).is_ok_and(|len| len >= RESERVE_BYTES));
        if has_it {
            return Ok(());
        }
        let made = File::create(&self.reserve).and_then(|mut file| {
            file.write_all(&vec![0; RESERVE_BYTES])?;
            file.sync_all()
        });
        made.map_err(|error| {
            let _gone = std::fs::remove_file(&self.reserve);
            self.error(error)
        })
    }

    fn write(&mut self, line: &[u8]) -> std::io::Result<()> {
        let file = match &mut self.file {
            Some(file) => file,
            none => none.insert(OpenOptions::new().write(true).open(&self.path)?),
        };
        // Half a line that an earlier failure left must not stand before this one.
        file.set_len(self.good_bytes)?;
        file.seek(SeekFrom::Start(self.good_bytes))?;
        match file.write_all(line).and_then(|()| file.sync_data()) {
            Ok(()) => {
                self.good_bytes += line.len() as u64;
                Ok(())
            }
            Err(error) => {
                file.set_len(self.good_bytes)?;
                Err(error)
            }
        }
    }

    /// A journal that cannot be compacted goes on growing; that is no error.
    fn compact(&mut self) {
        let fresh = self.path.with_extension("new");
        let bytes = line(&Entry::Snapshot {
            journal: Box::new(self.journal.clone()),
        });
        let made = File::create(&fresh).and_then(|mut file| {
            file.write_all(&bytes)?;
            file.sync_all()
        });
        self.file = None;
        match made.and_then(|()| std::fs::rename(&fresh, &self.path)) {
            Ok(()) => {
                self.good_bytes = bytes.len() as u64;
                self.base_bytes = self.good_bytes;
                self.is_name_durable = false;
            }
            Err(error) => {
                let _gone = std::fs::remove_file(&fresh);
                tracing::warn!(%error, "the journal cannot be compacted and grows on");
                self.base_bytes = self.good_bytes;
            }
        }
    }

    fn error(&self, source: std::io::Error) -> Error {
        if disk::is_full(&source) {
            Error::DiskFull(self.path.clone())
        } else {
            Error::Io {
                path: self.path.clone(),
                source,
            }
        }
    }
}

/// A line as it stands in the file: checksum, blank, JSON, end of line.
#[must_use]
pub fn line(entry: &Entry) -> Vec<u8> {
    let json = serde_json::to_vec(entry).unwrap_or_default();
    let mut line = checksum(&json).into_bytes();
    line.push(b' ');
    line.extend(json);
    line.push(b'\n');
    line
}

/// The journal that these bytes tell, and how many of them are good: what follows is torn.
///
/// # Errors
/// The number of a bad line that good ones follow.
pub fn read(bytes: &[u8]) -> Result<(Journal, u64), usize> {
    let mut journal = Journal::default();
    let mut good_bytes = 0;
    let mut bad = None;
    for (index, line) in bytes.split_inclusive(|byte| *byte == b'\n').enumerate() {
        match (entry(line), bad) {
            (Some(entry), None) => {
                journal.apply(&entry);
                good_bytes += line.len() as u64;
            }
            (Some(_), Some(number)) => return Err(number),
            (None, _) => bad = bad.or(Some(index + 1)),
        }
    }
    Ok((journal, good_bytes))
}

fn entry(line: &[u8]) -> Option<Entry> {
    let line = line.strip_suffix(b"\n")?;
    let (sum, rest) = line.split_at_checked(CHECKSUM_CHARS)?;
    let json = rest.strip_prefix(b" ")?;
    if sum != checksum(json).as_bytes() {
        return None;
    }
    serde_json::from_slice(json).ok()
}

fn checksum(json: &[u8]) -> String {
    sha256(json)
        .to_string()
        .chars()
        .skip("sha256:".len())
        .take(CHECKSUM_CHARS)
        .collect()
}
