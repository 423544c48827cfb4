//! Connections that customers keep between two requests.

use crate::http::Connection;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// Well below the 30 s after which HAProxy closes an idle connection: a customer must never find
/// that out only after he has sent something.
const LONGEST_IDLE: Duration = Duration::from_secs(1);

/// The kept connections to one door.
#[derive(Debug)]
pub(super) struct Lines {
    pub(super) door: SocketAddr,
    idle: Mutex<Vec<(Connection, Instant)>>,
}

impl Lines {
    pub(super) fn to(door: SocketAddr) -> Arc<Self> {
        Arc::new(Self {
            door,
            idle: Mutex::default(),
        })
    }

    /// A kept connection that the other side has not closed. What is too old or closed is let go:
    /// nothing has been sent on it, so nothing is lost.
    pub(super) fn take(&self) -> Option<Connection> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.retain(|(_, since)| since.elapsed() < LONGEST_IDLE);
        while let Some((connection, _)) = idle.pop() {
            if connection.is_open() {
                return Some(connection);
            }
        }
        None
    }

    /// Keeps a connection for the next customer.
    pub(super) fn keep(&self, connection: Connection) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.push((connection, Instant::now()));
    }
}
