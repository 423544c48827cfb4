//! Ports for processes that restart: fixed, and below the range from which the system takes the
//! ports of outgoing connections (32768 and up on Linux), else a restarting shop could find its
//! own port taken by a customer.

use anyhow::{Result, bail};
use std::net::TcpListener;
use std::sync::atomic::{AtomicU16, Ordering};

const FIRST: u16 = 20_000;
const LAST: u16 = 32_000;

static TAKEN: AtomicU16 = AtomicU16::new(0);

/// `count` ports of 127.0.0.1 on which nobody listens now.
///
/// No two calls in one process get the same port, and processes begin to look at different places.
///
/// # Errors
/// When fewer than `count` are free.
pub fn free(count: usize) -> Result<Vec<u16>> {
    let places = LAST - FIRST;
    let begin = u16::try_from(std::process::id() * 97 % u32::from(places)).unwrap_or(0);
    let mut found = Vec::with_capacity(count);
    for _ in 0..places {
        if found.len() == count {
            return Ok(found);
        }
        let place = (begin + TAKEN.fetch_add(1, Ordering::Relaxed) % places) % places;
        if TcpListener::bind(("127.0.0.1", FIRST + place)).is_ok() {
            found.push(FIRST + place);
        }
    }
    bail!("fewer than {count} ports are free between {FIRST} and {LAST}: end what listens there")
}
