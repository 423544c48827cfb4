//! What making a backup, or a log from one, needs of files and chains.

use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;
use bus::{Bus, PARTITIONS, Position, Stream};
use events::{Digest, Link, verify_link};

use crate::failure::Failure;

const BATCH: usize = 1_000;

/// A file that is not whole yet, beside the place it will have. It goes away if it never gets there.
#[derive(Debug)]
pub(crate) struct Scratch {
    path: PathBuf,
}

impl Scratch {
    /// Beside `place`, so that giving it its name is one step of the file system.
    pub(crate) fn beside(place: &Path) -> Self {
        let scratch = Self {
            path: with(place, ".part"),
        };
        // What a killed process left is of no use.
        scratch.clear();
        scratch
    }

    fn clear(&self) {
        for suffix in ["", "-wal", "-shm", "-journal", ".lock"] {
            // Most of them are not there.
            drop(fs::remove_file(with(&self.path, suffix)));
        }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// It is whole: it gets its name, and the folder is on the disk.
    pub(crate) fn keep_as(self, place: &Path) -> anyhow::Result<()> {
        fs::rename(&self.path, place)
            .with_context(|| format!("cannot give {} its name", place.display()))?;
        let folder = match place.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            Some(_) | None => Path::new("."),
        };
        fs::File::open(folder)
            .and_then(|folder| folder.sync_all())
            .with_context(|| format!("{} is not on the disk", folder.display()))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        self.clear();
    }
}

/// A place where no log lies, nor what is left of one. Nobody starts on it while this is held.
#[derive(Debug)]
pub(crate) struct Vacant {
    _lock: Option<fs::File>,
}

impl Vacant {
    /// Looks at the files that SQLite keeps beside a log, and at the lock of who uses it.
    ///
    /// # Errors
    /// What is in the way: SQLite would play a write-ahead file or a journal of the old log into
    /// the new one, and a process that still has the old one open goes on writing them.
    pub(crate) fn find(log: &Path) -> Result<Self, Failure> {
        let lock = match fs::File::open(with(log, ".lock")) {
            Ok(lock) => Some(lock),
            Err(error) if error.kind() == ErrorKind::NotFound => None,
            Err(error) => {
                let lock = with(log, ".lock");
                let what = format!("cannot read {}: {error}", lock.display());
                return Err(Failure::refused(what).mend("run this as the user of `serve`"));
            }
        };
        let is_free = lock.as_ref().is_none_or(|lock| lock.try_lock().is_ok());
        let left = ["-wal", "-shm", "-journal"].map(|end| with(log, end));
        let left: Vec<String> = left
            .iter()
            .filter(|file| fs::symlink_metadata(file).is_ok())
            .map(|file| file.display().to_string())
            .collect();
        if is_free && left.is_empty() {
            return Ok(Self { _lock: lock });
        }
        let mut what = Vec::new();
        if !is_free {
            what.push(format!("a process uses {}", log.display()));
        }
        if !left.is_empty() {
            let left = left.join(", ");
            what.push(format!("{left} would be read into the new log"));
        }
        Err(Failure::refused(what.join("; ")).mend(
            "stop `serve`, and move all that is left of the old log away: LOG, LOG-wal, LOG-shm, \
             LOG-journal",
        ))
    }
}

fn with(path: &Path, suffix: &str) -> PathBuf {
    let mut path = path.as_os_str().to_owned();
    path.push(suffix);
    path.into()
}

/// Opens a log that no process uses.
pub(crate) async fn open_log(log: &Path) -> anyhow::Result<Bus> {
    if !log.is_file() {
        return Err(
            Failure::refused(format!("there is no log {}", log.display()))
                .mend("name the file that `serve` has as `log`, or a copy of it")
                .into(),
        );
    }
    let path = log.to_owned();
    let opened = tokio::task::spawn_blocking(move || Bus::open(&path)).await?;
    opened.with_context(|| format!("cannot open {}", log.display()))
}

/// Follows every hash chain to its end, and counts them.
pub(crate) async fn verify(bus: &Bus) -> anyhow::Result<u64> {
    let mut chains = 0;
    for partition in 0..PARTITIONS {
        let mut heads: BTreeMap<String, (u64, Digest)> = BTreeMap::new();
        let end = bus.end(Stream::Events, partition).await?;
        let mut events = bus.follow(Stream::Events, &[partition], &Position::Start)?;
        while events.position(partition) < end {
            for record in events.next_batch(BATCH, Duration::ZERO).await? {
                // Who owned the partition when is not numbered.
                if record.key.starts_with("partition/") {
                    continue;
                }
                let stored = Link {
                    headers: &record.headers,
                    value: &record.value,
                };
                let head = verify_link(heads.get(&record.key).copied(), stored)
                    .context("a hash chain does not hold: take another backup")?;
                heads.insert(record.key, head);
            }
        }
        chains += heads.len() as u64;
    }
    Ok(chains)
}
