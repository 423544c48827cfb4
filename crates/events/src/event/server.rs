//! Servers that leave a rollout, or our hands.

use serde::{Deserialize, Serialize};

use super::plan::PlannedServer;
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
        /// It stands on another machine or address than the plan says.
        Changed = "changed",
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
    /// The person who said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<Actor>,
    /// What that person gave as a reason, or what was found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// A server that the plan does not have takes part from now on, behind all others: the catalogue
/// got it after the plan was made, and the plan says that such a one joins.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServerJoined {
    /// In which rollout.
    pub rollout: RolloutId,
    /// The server, as a plan would have it.
    pub planned: PlannedServer,
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
