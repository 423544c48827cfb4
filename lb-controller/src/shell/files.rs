//! Files that must be whole and on the disk before anything is said.

use std::fs::{self, File, TryLockError};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use anyhow::{Context, Result, bail};
use tokio::task::spawn_blocking;

use crate::haproxy::saved;
use crate::mark::Marks;
use crate::observed::Saved;
use crate::settings::with_end;

/// Held as long as we run; the system lets go of it when the process ends, however it ends.
#[derive(Debug)]
pub(super) struct Lock {
    _file: File,
}

impl Lock {
    pub(super) fn take(path: &Path, admin_socket: &Path) -> Result<Self> {
        let shown = path.display();
        let mut file = File::options()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)
            .with_context(|| format!("cannot open {shown}: may we write in its folder?"))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let holder = fs::read_to_string(path).unwrap_or_default();
                bail!(
                    "another lb-controller (process {}) owns {}: end it first, two would undo \
                     each other",
                    holder.trim(),
                    admin_socket.display()
                );
            }
            Err(TryLockError::Error(error)) => {
                return Err(error).with_context(|| format!("cannot lock {shown}"));
            }
        }
        // Only for the words of the next one's error.
        if let Err(error) = file
            .set_len(0)
            .and_then(|()| writeln!(file, "{}", std::process::id()))
        {
            tracing::warn!(lock = %shown, %error, "cannot write the process id into the lock");
        }
        Ok(Self { _file: file })
    }
}

/// Our marks, as they are on disk.
#[derive(Debug)]
pub(super) struct MarksFile {
    path: PathBuf,
    on_disk: Marks,
}

impl MarksFile {
    pub(super) fn open(path: PathBuf) -> Result<Self> {
        let on_disk = match fs::read(&path) {
            Ok(bytes) => serde_json::from_slice(&bytes).with_context(|| {
                let shown = path.display();
                format!(
                    "{shown} is not a file of marks: move it away, and put back by hand what is out"
                )
            })?,
            Err(error) if error.kind() == ErrorKind::NotFound => Marks::default(),
            Err(error) => {
                return Err(error).with_context(|| format!("cannot read {}", path.display()));
            }
        };
        Ok(Self { path, on_disk })
    }

    pub(super) const fn get(&self) -> &Marks {
        &self.on_disk
    }

    pub(super) async fn write(&mut self, marks: Marks) -> Result<()> {
        let text = serde_json::to_string_pretty(&marks).context("cannot write down our marks")?;
        replace(&self.path, text + "\n").await?;
        self.on_disk = marks;
        Ok(())
    }
}

/// HAProxy's state file, as it is on disk: hooks that run at reload and stop write it too.
#[derive(Debug)]
pub(super) struct StateFile {
    path: PathBuf,
    read: Option<(Stamp, Saved)>,
    empty: Saved,
}

/// What differs when somebody replaced a file.
type Stamp = (Option<SystemTime>, u64);

impl StateFile {
    pub(super) const fn new(path: PathBuf) -> Self {
        Self {
            path,
            read: None,
            empty: Saved::new(),
        }
    }

    /// Reads it again if it is another one than before.
    pub(super) async fn refresh(&mut self) {
        let stamp = tokio::fs::metadata(&self.path).await.ok();
        let stamp = stamp.map(|meta| (meta.modified().ok(), meta.len()));
        let is_known = self.read.as_ref().map(|(stamp, _)| *stamp) == stamp;
        if is_known {
            return;
        }
        let text = tokio::fs::read_to_string(&self.path).await.ok();
        self.read = stamp.zip(text.map(|text| saved(&text)));
    }

    pub(super) fn get(&self) -> &Saved {
        self.read.as_ref().map_or(&self.empty, |(_, saved)| saved)
    }

    pub(super) async fn write(&mut self, state: String) -> Result<()> {
        replace(&self.path, state).await?;
        self.read = None;
        self.refresh().await;
        Ok(())
    }
}

/// Puts a whole new file in the place of the old one; when this returns it stays there, whatever
/// happens to the power.
async fn replace(path: &Path, text: String) -> Result<()> {
    let target = path.to_owned();
    let work = move || -> io::Result<()> {
        let fresh = with_end(&target, ".new");
        let mut file = File::create(&fresh)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&fresh, &target)?;
        let folder = target
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty());
        File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
    };
    spawn_blocking(work)
        .await
        .context("writing was broken off")?
        .with_context(|| format!("cannot write {}: is the disk full?", path.display()))
}
