//! Servers that leave a rollout, or our hands.

use serde::{Deserialize, Serialize};

use crate::envelope::Actor;
use crate::id::RolloutId;
use crate::name::ServerName;
use crate::open::open_enum;

open_enum! {
    /// Why a server takes no further part.
    ExcludedBecause {
        /// It is not in the catalogue any more.
        Gone = "gone",
        /// A person said so.
        ByPerson = "by_person",
    }
}

/// A server takes no further part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServerExcluded {
    /// Of which rollout.
    pub rollout: RolloutId,
    /// Which server.
    pub server: ServerName,
    /// Why.
    pub why: ExcludedBecause,
}

/// A server is a person's from now on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServerReleased {
    /// Which server.
    pub server: ServerName,
    /// The rollout that had set it aside.
    pub since: RolloutId,
    /// Who says so.
    pub by: Actor,
    /// Why.
    pub reason: String,
}
