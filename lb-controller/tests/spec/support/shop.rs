//! A small HTTP server that says when it is healthy and holds requests back on demand.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// `/health` answers 200 or 503; `/held` answers when it is let go; anything else at once.
pub(crate) struct Shop {
    pub(crate) name: String,
    pub(crate) address: SocketAddr,
    health: watch::Sender<bool>,
    let_go: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Shop {
    pub(crate) async fn open(name: &str) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", super::ports::free()))
            .await
            .unwrap();
        let address = listener.local_addr().unwrap();
        let (health, is_healthy) = watch::channel(true);
        let (let_go, is_let_go) = watch::channel(false);
        let task = tokio::spawn(async move {
            loop {
                let (customer, _) = listener.accept().await.unwrap();
                tokio::spawn(serve(customer, is_healthy.clone(), is_let_go.clone()));
            }
        });
        let name = name.to_owned();
        Self {
            name,
            address,
            health,
            let_go,
            task,
        }
    }

    pub(crate) fn is_healthy(&self, healthy: bool) {
        self.health.send_replace(healthy);
    }

    /// Answers all that is held, and from now on at once.
    pub(crate) fn let_go(&self) {
        self.let_go.send_replace(true);
    }
}

impl Drop for Shop {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(
    mut customer: TcpStream,
    health: watch::Receiver<bool>,
    mut let_go: watch::Receiver<bool>,
) {
    let mut request = Vec::new();
    while !request.windows(4).any(|end| end == b"\r\n\r\n") {
        let mut some = [0; 1024];
        match customer.read(&mut some).await {
            Ok(count) if count > 0 => request.extend_from_slice(&some[..count]),
            Ok(_) | Err(_) => return,
        }
    }
    let request = String::from_utf8_lossy(&request);
    if request.contains(" /held ") {
        let _ = let_go.wait_for(|let_go| *let_go).await;
    }
    let is_bad = request.contains(" /health ") && !*health.borrow();
    let status = if is_bad { "503 No" } else { "200 OK" };
    let answer = format!("HTTP/1.1 {status}\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok");
    let _ = customer.write_all(answer.as_bytes()).await;
}
