//! What making a backup, or a log from one, needs of files and chains.

use std::collections::BTreeMap;
use std::fs;
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
        for suffix in ["", "-wal", "-shm", ".lock"] {
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
