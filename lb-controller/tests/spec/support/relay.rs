//! A relay before the admin socket that lets every command through, and swallows some answers.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt, copy};
use tokio::net::{UnixListener, UnixStream};
use tokio::task::JoinHandle;

pub(crate) struct Relay {
    pub(crate) swallowed: Arc<AtomicU64>,
    task: JoinHandle<()>,
}

impl Relay {
    /// Of five answers, one is lost.
    pub(crate) fn open(from: &Path, to: &Path) -> Self {
        let listener = UnixListener::bind(from).unwrap();
        let to = to.to_owned();
        let swallowed = Arc::new(AtomicU64::new(0));
        let count = Arc::clone(&swallowed);
        let task = tokio::spawn(async move {
            for n in 1_u64.. {
                let (asker, _) = listener.accept().await.unwrap();
                let haproxy = UnixStream::connect(&to).await.unwrap();
                let is_lost = n.is_multiple_of(5);
                count.fetch_add(u64::from(is_lost), Ordering::Relaxed);
                tokio::spawn(carry(asker, haproxy, is_lost));
            }
        });
        Self { swallowed, task }
    }
}

async fn carry(mut asker: UnixStream, mut haproxy: UnixStream, is_lost: bool) {
    let mut command = [0; 4096];
    let count = asker.read(&mut command).await.unwrap();
    haproxy.write_all(&command[..count]).await.unwrap();
    if is_lost {
        let _ = copy(&mut haproxy, &mut tokio::io::sink()).await;
    } else {
        let _ = copy(&mut haproxy, &mut asker).await;
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.task.abort();
    }
}
