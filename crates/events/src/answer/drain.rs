//! Answers to a `Drain`: one from each balancer.

use serde::{Deserialize, Serialize};

use super::failure::Failure;
use crate::id::CommandId;
use crate::name::BalancerName;

/// One balancer: the server is out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Drained {
    /// Which command.
    pub command: CommandId,
    /// Which balancer.
    pub balancer: BalancerName,
    /// The HAProxy process that said so.
    pub haproxy_pid: u32,
    /// Its version.
    pub haproxy_version: String,
    /// Requests that still ran there.
    pub running: u32,
    /// Requests that were queued there.
    pub queued: u32,
    /// Requests that we ended.
    pub cut: u32,
    /// Requests that came while only pinned customers could come.
    pub pinned_seen: u64,
    /// Whether HAProxy's state file is on disk with this change in it.
    pub state_saved: bool,
    /// How long it took.
    pub waited_ms: u64,
    /// Servers UP in the online pool before.
    pub up_before: u32,
    /// Servers UP in the online pool after.
    pub up_after: u32,
    /// The floor it was judged against.
    pub floor: u32,
    /// Whether the server itself was UP before.
    pub was_up: bool,
    /// Whether a person had it out already; it then stays out after Restore.
    pub by_person: bool,
    /// The row of `show stat` that this rests on.
    pub row: String,
}

/// One balancer: taking it out would break the floor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DrainRefused {
    /// Which command.
    pub command: CommandId,
    /// Which balancer.
    pub balancer: BalancerName,
    /// Servers UP in the online pool now.
    pub up: u32,
    /// The floor.
    pub floor: u32,
    /// The row of `show stat` that this rests on.
    pub row: String,
}

/// One balancer: it could not be taken out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DrainFailed {
    /// Which command.
    pub command: CommandId,
    /// Which balancer.
    pub balancer: BalancerName,
    /// Why.
    pub failure: Failure,
    /// Requests that still ran there.
    pub running: u32,
    /// Requests that were queued there.
    pub queued: u32,
    /// The row of `show stat` that this rests on.
    pub row: String,
}
