//! Where a rollout turns: by a person, or by a failure.

use serde::{Deserialize, Serialize};

use crate::envelope::Actor;
use crate::id::RolloutId;
use crate::name::ServerName;
use crate::time::Timestamp;

/// What a person did to a rollout, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Paused {
    /// Which rollout.
    pub rollout: RolloutId,
    /// Who.
    pub by: Actor,
    /// Why.
    pub reason: String,
    /// Until when it waits for a person; then it goes back.
    pub until: Timestamp,
}

/// Batches are opened again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resumed {
    /// Which rollout.
    pub rollout: RolloutId,
    /// Who.
    pub by: Actor,
    /// Why.
    pub reason: String,
}

/// A person wants it stopped and taken back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AbortRequested {
    /// Which rollout.
    pub rollout: RolloutId,
    /// Who.
    pub by: Actor,
    /// Why.
    pub reason: String,
}

/// A person wants what failed tried again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RetryRequested {
    /// Which rollout.
    pub rollout: RolloutId,
    /// Who.
    pub by: Actor,
    /// Why.
    pub reason: String,
}

/// The rollout waits for a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Halted {
    /// Which rollout.
    pub rollout: RolloutId,
    /// Why.
    pub reason: String,
    /// Until when; then it goes back.
    pub until: Timestamp,
}

/// The rollout goes back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RollbackStarted {
    /// Which rollout.
    pub rollout: RolloutId,
    /// Why.
    pub reason: String,
    /// Servers that will be taken back.
    pub servers: Vec<ServerName>,
}

/// A person wants a halted rollout to end as it is, and one that waits to take its servers over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TakeOverRequested {
    /// Which rollout ends.
    pub rollout: RolloutId,
    /// Which one takes over.
    pub successor: RolloutId,
    /// Who.
    pub by: Actor,
    /// Why.
    pub reason: String,
}
