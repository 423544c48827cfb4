//! What the shop is asked and what it answers.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// The body of every answer of the shop, also of its refusals.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// The server that answers, by its short name.
    pub server: String,
    /// The version that this process runs.
    pub version: String,
    /// Its process id: another one after each restart.
    pub pid: u32,
    /// Wall-clock time at which the process started.
    pub started_at_ms: u64,
    /// Wall-clock time at which the request was taken up: decides whether a held server served it.
    pub taken_at_ms: u64,
    /// Of an order: what it costs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total_cents: Option<u64>,
    /// Of an order: digest of the bytes that arrived, to be compared with those that were sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body_sha256: Option<String>,
    /// Why the request was refused, and what to do about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<String>,
}

/// The body of `POST /order`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Order {
    /// What is ordered.
    pub lines: Vec<Line>,
}

/// One line of an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Line {
    /// Price of one piece.
    pub price_cents: u64,
    /// Number of pieces.
    pub quantity: u64,
}

impl Order {
    /// What the order costs in a shop that calculates well.
    #[must_use]
    pub fn total_cents(&self) -> u64 {
        self.lines
            .iter()
            .map(|line| line.price_cents.saturating_mul(line.quantity))
            .sum()
    }
}

/// SHA-256 of these bytes as `sha256:<hex>`.
#[must_use]
pub fn digest(bytes: &[u8]) -> String {
    let mut text = String::from("sha256:");
    for byte in Sha256::digest(bytes) {
        for nibble in [byte >> 4, byte & 15] {
            text.push(char::from_digit(u32::from(nibble), 16).unwrap_or('0'));
        }
    }
    text
}
