//! Answers to a `Check`: verdicts, never silence.

use serde::{Deserialize, Serialize};

use super::failure::Failure;
use crate::id::CommandId;
use crate::name::BalancerName;

/// Who answered, in which version.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct AnsweredBy {
    /// The server's line, as the balancer named it.
    pub server: String,
    /// The version, as the answer named it.
    pub version: Option<String>,
}

/// One probe and what it found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProbeResult {
    /// The probe, for people: `GET /health`.
    pub probe: String,
    /// Whether it was good.
    pub good: bool,
    /// What it found, at most 1 KiB.
    pub found: String,
    /// How long it took.
    pub took_ms: u64,
}

/// Enough good rounds in a row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Healthy {
    /// Which command.
    pub command: CommandId,
    /// The last round.
    pub probes: Vec<ProbeResult>,
    /// Who answered.
    pub answered_by: AnsweredBy,
    /// Through which balancers it was probed.
    pub balancers: Vec<BalancerName>,
}

/// Not healthy by the deadline.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unhealthy {
    /// Which command.
    pub command: CommandId,
    /// Why.
    pub failure: Failure,
    /// The last round.
    pub probes: Vec<ProbeResult>,
}
