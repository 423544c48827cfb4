//! Answers to a `Restore`: one from each balancer.

use serde::{Deserialize, Serialize};

use super::failure::Failure;
use crate::id::CommandId;
use crate::name::BalancerName;

/// One balancer: the server is in the online pool.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Restored {
    /// Which command.
    pub command: CommandId,
    /// Which balancer.
    pub balancer: BalancerName,
    /// Whether it is UP there. False for one that was not UP when taken out, or that a person
    /// had drained before.
    pub up: bool,
    /// Age of the health check that says so.
    pub check_age_ms: u64,
    /// Whether HAProxy's state file is on disk with this change in it.
    pub state_saved: bool,
    /// The row of `show stat` that this rests on.
    pub row: String,
}

/// One balancer: it could not be put back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RestoreFailed {
    /// Which command.
    pub command: CommandId,
    /// Which balancer.
    pub balancer: BalancerName,
    /// Why.
    pub failure: Failure,
    /// The row of `show stat` that this rests on.
    pub row: String,
}
