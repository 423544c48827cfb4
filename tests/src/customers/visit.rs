//! One request of one customer.

use super::judge::{Failure, judge};
use super::lines::Lines;
use crate::clock::now_ms;
use crate::http::{Connection, Response};
use crate::shop::{Answer, Line, NUMBER_HEADER, Order, SLOW_HEADER, digest};
use std::time::Duration;
use tokio::time::{Instant, timeout};

/// What a customer is going to do: it all follows from his number, so that a run can be repeated.
#[derive(Debug, Clone, Copy)]
pub(super) struct Visit {
    pub(super) number: u64,
    /// Which door, counted from 0.
    pub(super) door: usize,
    is_order: bool,
    is_slow: bool,
    on_new_connection: bool,
}

/// What came of it.
#[derive(Debug)]
pub(super) struct Outcome {
    pub(super) number: u64,
    pub(super) is_order: bool,
    pub(super) sent_ms: u64,
    pub(super) done_ms: u64,
    pub(super) took: Duration,
    /// How late the customer came: the fault of the load, not of the shop.
    pub(super) late: Duration,
    /// The status, and who says that he answered; there may be one although the visit failed.
    pub(super) answer: Option<(u16, Answer)>,
    pub(super) failure: Option<Failure>,
}

impl Visit {
    /// Every second request is an order; the rest goes by chance: one in four opens a connection of
    /// its own, one in fifty is slow.
    pub(super) fn number(number: u64, doors: usize) -> Self {
        let chance = scramble(number);
        Self {
            number,
            door: usize::try_from(chance % 64).unwrap_or(0) % doors,
            is_order: number % 2 == 1,
            is_slow: (chance >> 8).is_multiple_of(50),
            on_new_connection: (chance >> 32).is_multiple_of(4),
        }
    }

    /// Sends the request once and judges what comes back.
    pub(super) async fn pay(self, line: &Lines, due: Instant, patience: Duration) -> Outcome {
        let (request, sent_sha256) = self.request();
        let (begun, sent_ms) = (Instant::now(), now_ms());
        let result = timeout(patience, self.exchange(line, &request))
            .await
            .unwrap_or(Err(Failure::NoAnswerInTime));
        let (took, done_ms) = (begun.elapsed(), now_ms());
        let (answer, failure) = match result {
            Ok(response) => judge(&response, sent_sha256.as_deref()),
            Err(failure) => (None, Some(failure)),
        };
        Outcome {
            number: self.number,
            is_order: self.is_order,
            sent_ms,
            done_ms,
            took,
            late: begun.duration_since(due),
            answer,
            failure,
        }
    }

    async fn exchange(self, line: &Lines, request: &[u8]) -> Result<Response, Failure> {
        let kept = if self.on_new_connection {
            None
        } else {
            line.take()
        };
        let mut connection = match kept {
            Some(connection) => connection,
            None => Connection::open(line.door).await?,
        };
        let response = connection.exchange(request).await?;
        if response.keep && !self.on_new_connection {
            line.keep(connection);
        }
        Ok(response)
    }

    /// The bytes of the request and, of an order, the digest of its body.
    fn request(self) -> (Vec<u8>, Option<String>) {
        let slow = if self.is_slow {
            format!("{SLOW_HEADER}: yes\r\n")
        } else {
            String::new()
        };
        let number = self.number;
        let common = format!("host: shop\r\n{NUMBER_HEADER}: {number}\r\n{slow}");
        if !self.is_order {
            return (format!("GET / HTTP/1.1\r\n{common}\r\n").into_bytes(), None);
        }
        let body = self.basket();
        let mut bytes = format!(
            "POST /order HTTP/1.1\r\n{common}content-length: {}\r\n\r\n",
            body.len()
        )
        .into_bytes();
        bytes.extend_from_slice(&body);
        (bytes, Some(digest(&body)))
    }

    fn basket(self) -> Vec<u8> {
        let line = |n: u64| Line {
            price_cents: 100 + (self.number + n) % 900,
            quantity: 1 + n,
        };
        let order = Order {
            lines: (0..3).map(line).collect(),
        };
        // Numbers in a list can always be written.
        serde_json::to_vec(&order).unwrap_or_default()
    }
}

/// The mixing steps of SplitMix64: neighbouring numbers give unrelated ones.
fn scramble(number: u64) -> u64 {
    let mut mixed = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}
