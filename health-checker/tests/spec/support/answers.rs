//! A server that answers what it is told to.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::sync::watch;

/// What the server answers now: status and body.
#[derive(Clone)]
pub(crate) struct Answers {
    pub(crate) address: String,
    now: Arc<Mutex<(u16, String)>>,
    takes_ms: Arc<AtomicU64>,
    asked: watch::Receiver<u32>,
}

impl Answers {
    pub(crate) async fn start(status: u16, body: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let now = Arc::new(Mutex::new((status, body.to_owned())));
        let (count, asked) = watch::channel(0);
        let answer = Arc::clone(&now);
        let takes_ms = Arc::new(AtomicU64::new(0));
        let own = Arc::clone(&takes_ms);
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let (answer, count, takes) = (answer.clone(), count.clone(), own.clone());
                tokio::spawn(async move {
                    let mut head = vec![0; 4096];
                    if stream.read(&mut head).await.unwrap_or(0) == 0 {
                        return;
                    }
                    let (status, body) = answer.lock().unwrap().clone();
                    let text = format!(
                        "HTTP/1.1 {status} x\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
                        body.len()
                    );
                    let takes_ms = takes.load(Ordering::Relaxed);
                    tokio::time::sleep(Duration::from_millis(takes_ms)).await;
                    count.send_modify(|count| *count += 1);
                    stream.write_all(text.as_bytes()).await.ok();
                });
            }
        });
        Self {
            address,
            now,
            takes_ms,
            asked,
        }
    }

    pub(crate) fn answer(&self, status: u16, body: &str) {
        *self.now.lock().unwrap() = (status, body.to_owned());
    }

    /// It takes so long for each answer from now on.
    pub(crate) fn take_ms(&self, ms: u64) {
        self.takes_ms.store(ms, Ordering::Relaxed);
    }

    /// How many requests it has had.
    pub(crate) fn asked(&self) -> u32 {
        *self.asked.borrow()
    }

    /// Waits until it has had so many requests.
    pub(crate) async fn until_asked(&self, times: u32) {
        let mut asked = self.asked.clone();
        tokio::time::timeout(super::PATIENCE, asked.wait_for(|count| *count >= times))
            .await
            .unwrap()
            .unwrap();
    }
}
