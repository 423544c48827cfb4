//! What opens gates, and what closes them.

use std::collections::BTreeSet;

use events::{Release, RolloutId, Target, Timestamp};
use serde::{Deserialize, Serialize};

/// Nothing begins for a while.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Freeze {
    /// From when on.
    pub from: Timestamp,
    /// Until before when.
    pub until: Timestamp,
    /// Why.
    pub reason: String,
}

/// A release that succeeded on another target of the same service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Promoted {
    /// Where.
    pub from: Target,
    /// By which rollout.
    pub rollout: RolloutId,
    /// What.
    pub release: Release,
    /// When.
    pub succeeded_at: Timestamp,
}

/// The newest build of a source that was taken on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Newest {
    /// Its number.
    pub number: u64,
    /// When it was taken on.
    pub at: Timestamp,
}

/// How a rollout stands with its gates, votes apart.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Gated {
    /// Gates that a permitted person let it pass.
    pub overridden: BTreeSet<String>,
    /// When it may go on, where only windows and freezes keep it.
    pub waits_until: Option<Timestamp>,
    /// A take-over of ours gave people time until then, whatever the gates say.
    pub grace_until: Timestamp,
}

/// The rollout that takes the servers of a halted one over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Successor {
    /// Which.
    pub rollout: RolloutId,
    /// Why.
    pub reason: String,
}
