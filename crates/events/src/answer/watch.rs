//! Answers to a `Watch`: how it stands, and its verdict.

use serde::{Deserialize, Serialize};

use super::failure::Failure;
use crate::command::{Probes, Requests};
use crate::id::CommandId;
use crate::name::BalancerName;
use crate::open::open_enum;

open_enum! {
    /// What a server that is watched was compared with.
    Basis {
        /// Servers on the old version, over the same time.
        Peers = "peers",
        /// What the old version did before.
        Baseline = "baseline",
        /// Nothing but the share of errors that is borne.
        Limit = "limit",
        /// Too few requests to judge by.
        NotEnoughData = "not_enough_data",
    }
}

/// What a watch has seen.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct WatchSeen {
    /// Of the server.
    pub server: Requests,
    /// Of its peers, together.
    pub peers: Requests,
    /// Over which time, in milliseconds.
    pub watched_ms: u64,
    /// How often a HAProxy began to count anew. What it counted between the last look before and
    /// that moment is lost, for the server and its peers alike.
    pub resets: u32,
    /// Balancers that could not be read at all, or not any more: what they sent there meanwhile is
    /// not counted.
    pub unread: Vec<BalancerName>,
    /// How long answers took; none: that was not looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub response: Option<Responses>,
}

/// What probes of a watch found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Responses {
    /// Of the server.
    pub server: Probes,
    /// Of its peers, together; without those that could not be reached at all.
    pub peers: Probes,
}

/// How a watch stands: said a few times while it lasts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Watching {
    /// Which command.
    pub command: CommandId,
    /// So far.
    pub seen: WatchSeen,
}

/// The server does no worse than it must.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Steady {
    /// Which command.
    pub command: CommandId,
    /// Compared with what.
    pub basis: Basis,
    /// What was seen.
    pub seen: WatchSeen,
}

/// The server does worse than what it replaces, and worse than is borne.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Regressed {
    /// Which command.
    pub command: CommandId,
    /// Why.
    pub failure: Failure,
    /// Compared with what.
    pub basis: Basis,
    /// What was seen.
    pub seen: WatchSeen,
}

/// A watch that has no verdict: counters of load balancers could not be read, so what customers got
/// is not known. It is no verdict on the server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WatchFailed {
    /// Which command.
    pub command: CommandId,
    /// Why.
    pub failure: Failure,
    /// What was seen.
    pub seen: WatchSeen,
}
