//! Customers: each asks once, over a connection of its own, and says which server answered.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;

/// Status and answering server; none when the door is shut.
pub(crate) async fn ask(door: SocketAddr, path: &str, more: &str) -> Option<(u16, String)> {
    let mut door = TcpStream::connect(door).await.ok()?;
    let request = format!("GET {path} HTTP/1.1\r\nhost: shop\r\nconnection: close\r\n{more}\r\n");
    door.write_all(request.as_bytes()).await.ok()?;
    let mut answer = String::new();
    door.read_to_string(&mut answer).await.ok()?;
    let status = answer.split(' ').nth(1)?.parse().ok()?;
    let by = answer
        .lines()
        .find_map(|line| line.strip_prefix("x-poolshift-answered-by: "));
    Some((status, by.unwrap_or_default().trim().to_owned()))
}

/// Customers who come one after another for as long as this is kept.
pub(crate) struct Crowd {
    answered: Arc<Mutex<BTreeMap<String, u64>>>,
    tasks: Vec<JoinHandle<()>>,
}

impl Crowd {
    pub(crate) fn at(door: SocketAddr) -> Self {
        let answered = Arc::new(Mutex::new(BTreeMap::new()));
        let one = |_| {
            let answered = Arc::clone(&answered);
            tokio::spawn(async move {
                loop {
                    if let Some((200, by)) = ask(door, "/", "").await {
                        *answered.lock().unwrap().entry(by).or_insert(0) += 1;
                    } else {
                        tokio::time::sleep(super::GLANCE).await;
                    }
                }
            })
        };
        let tasks = (0..4).map(one).collect();
        Self { answered, tasks }
    }

    pub(crate) fn answered_by(&self, server: &str) -> u64 {
        *self.answered.lock().unwrap().get(server).unwrap_or(&0)
    }

    /// Waits until `count` more requests were answered by anyone.
    pub(crate) async fn more(&self, count: u64) {
        let all = || self.answered.lock().unwrap().values().sum::<u64>();
        let until = all() + count;
        while all() < until {
            tokio::time::sleep(super::GLANCE).await;
        }
    }
}

impl Drop for Crowd {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}
