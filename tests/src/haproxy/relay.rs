//! A relay before an admin socket: every command gets through, some answers do not.

use anyhow::{Context, Result};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy, sink};
use tokio::net::{UnixListener, UnixStream};
use tokio::task::JoinHandle;

/// Longer than any command.
const COMMAND_BYTES: usize = 4096;

/// A relay that swallows one answer in five, until it is dropped.
#[derive(Debug)]
pub struct Relay {
    swallowed: Arc<AtomicU64>,
    task: JoinHandle<()>,
}

impl Relay {
    /// Listens on `at` and speaks to the socket `behind`.
    ///
    /// # Errors
    /// When it cannot listen there.
    pub fn open(at: &Path, behind: &Path) -> Result<Self> {
        let listener =
            UnixListener::bind(at).with_context(|| format!("cannot listen on {}", at.display()))?;
        let swallowed = Arc::default();
        let task = tokio::spawn(accept(listener, behind.to_owned(), Arc::clone(&swallowed)));
        Ok(Self { swallowed, task })
    }

    /// How many answers were swallowed so far.
    #[must_use]
    pub fn swallowed(&self) -> u64 {
        self.swallowed.load(Ordering::Relaxed)
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn accept(listener: UnixListener, behind: PathBuf, swallowed: Arc<AtomicU64>) {
    for number in 1_u64.. {
        // A connection that failed before it was taken is its sender's affair.
        let Ok((asker, _)) = listener.accept().await else {
            continue;
        };
        let swallows = number.is_multiple_of(5);
        swallowed.fetch_add(u64::from(swallows), Ordering::Relaxed);
        let behind = behind.clone();
        tokio::spawn(async move {
            // To the asker a broken relay is the same as a lost answer.
            drop(carry(asker, &behind, swallows).await);
        });
    }
}

async fn carry(mut asker: UnixStream, behind: &Path, swallows: bool) -> std::io::Result<()> {
    let mut haproxy = UnixStream::connect(behind).await?;
    let mut command = [0; COMMAND_BYTES];
    let bytes = asker.read(&mut command).await?;
    haproxy.write_all(&command[..bytes]).await?;
    if swallows {
        copy(&mut haproxy, &mut sink()).await?;
    } else {
        copy(&mut haproxy, &mut asker).await?;
    }
    Ok(())
}
