//! How a rollout ended.

use serde::{Deserialize, Serialize};

use crate::answer::Pool;
use crate::command::Release;
use crate::id::RolloutId;
use crate::name::ServerName;
use crate::open::open_enum;

open_enum! {
    /// How a rollout ended.
    Outcome {
        /// Every server runs the new version.
        Succeeded = "succeeded",
        /// Every server runs what it ran before.
        RolledBack = "rolled_back",
        /// It went back, but some servers stay on the new version, proven.
        Incomplete = "incomplete",
        /// It could neither go on nor back.
        Halted = "halted",
        /// A person stopped it, and it went back, or had not begun.
        Aborted = "aborted",
        /// It waited too long at a gate or for its turn.
        Expired = "expired",
        /// It will not be done.
        Rejected = "rejected",
        /// A newer one took its place.
        Superseded = "superseded",
    }
}

/// A server at the end of a rollout.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FinalServer {
    /// Which server.
    pub server: ServerName,
    /// The version last proven there, where one is known.
    pub release: Option<Release>,
    /// Where it is.
    pub pool: Pool,
}

/// The rollout is over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RolloutFinished {
    /// Which rollout.
    pub rollout: RolloutId,
    /// How it ended.
    pub outcome: Outcome,
    /// Its servers.
    pub servers: Vec<FinalServer>,
    /// Servers that stay out, unproven.
    pub stuck: Vec<ServerName>,
    /// Servers that are proven but could not be drained or put back.
    pub left: Vec<ServerName>,
    /// Servers that took no part.
    pub except: Vec<ServerName>,
    /// The least number of servers seen UP in an online pool after a drain.
    pub least_up: Option<u32>,
    /// The floor.
    pub floor: u32,
    /// Customers' requests that reached a server that was kept out.
    pub held_out_requests: u64,
    /// Requests that we ended.
    pub cut: u32,
    /// From the first batch to the end.
    pub took_ms: u64,
    /// Why it ended so.
    pub reason: String,
}
