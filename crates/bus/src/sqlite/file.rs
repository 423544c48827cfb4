use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::ErrorCode;
use rusqlite::ffi::SQLITE_IOERR_SHMSIZE;

use crate::{Error, Home, Room};

/// Where the log lies, and how its failures are told.
#[derive(Debug)]
pub(super) struct File {
    path: PathBuf,
}

impl File {
    /// Resolves links, so that two names of one file meet at one lock.
    pub(super) fn new(path: &Path) -> Result<Self, Error> {
        let named = Self {
            path: path.to_owned(),
        };
        if let Ok(path) = path.canonicalize() {
            return Ok(Self { path });
        }
        let Some(name) = path.file_name() else {
            return Err(named.storage(&"this is not the name of a file"));
        };
        let folder = match path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            Some(_) | None => Path::new("."),
        };
        match folder.canonicalize() {
            Ok(folder) => Ok(Self {
                path: folder.join(name),
            }),
            Err(error) => Err(named.storage(&format!(
                "its folder {}: {error}; make it",
                folder.display()
            ))),
        }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The file with its write-ahead log, and what its disk has left.
    pub(super) fn room(&self) -> Result<Room, Error> {
        let bytes = |suffix: &str| {
            let mut path = self.path.clone().into_os_string();
            path.push(suffix);
            // There is no write-ahead log before the first write.
            std::fs::metadata(path).map_or(0, |found| found.len())
        };
        let free = fs4::available_space(&self.path);
        Ok(Room {
            log_bytes: bytes("") + bytes("-wal"),
            free_bytes: free.map_err(|error| self.storage(&error))?,
        })
    }

    pub(super) fn lock_path(&self) -> PathBuf {
        let mut path = self.path.clone().into_os_string();
        path.push(".lock");
        path.into()
    }

    pub(super) fn error(&self, error: &rusqlite::Error) -> Error {
        let (home, path) = (self.home(), self.path.clone());
        let detail = error.to_string();
        let extended = error.sqlite_error().map_or(0, |error| error.extended_code);
        match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => Error::Full { home, detail },
            // The index of the write-ahead log could not grow.
            Some(ErrorCode::SystemIoFailure) if extended == SQLITE_IOERR_SHMSIZE => {
                Error::Full { home, detail }
            }
            Some(ErrorCode::NotADatabase) => Error::NotOurs { path, detail },
            Some(ErrorCode::DatabaseCorrupt) => Error::Damaged { path, detail },
            _ => Error::Storage { home, detail },
        }
    }

    fn home(&self) -> Home {
        Home::File(self.path.clone())
    }

    pub(super) fn full(&self, detail: String) -> Error {
        Error::Full {
            home: self.home(),
            detail,
        }
    }

    pub(super) fn silent(&self, limit: Duration) -> Error {
        Error::Silent {
            home: self.home(),
            limit,
        }
    }

    pub(super) fn storage(&self, detail: &impl ToString) -> Error {
        Error::Storage {
            home: self.home(),
            detail: detail.to_string(),
        }
    }
}

/// An offset as SQLite gave it; its row ids start at 1.
pub(super) fn offset(stored: i64) -> u64 {
    u64::try_from(stored).unwrap_or_default()
}

/// An offset as SQLite takes it; one beyond its numbers is beyond every record.
pub(super) fn stored(offset: u64) -> i64 {
    i64::try_from(offset).unwrap_or(i64::MAX)
}
