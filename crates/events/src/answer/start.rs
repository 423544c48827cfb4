//! A worker begins a command, or does not obey it.

use serde::{Deserialize, Serialize};

use crate::id::{CommandId, Fence};
use crate::open::open_enum;

/// An agent has begun.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommandStarted {
    /// Which command.
    pub command: CommandId,
}

open_enum! {
    /// Why a worker does not obey.
    RefusedBecause {
        /// It has seen a higher fence, or an equal one with another id.
        Stale = "stale",
        /// The command's deadline is over.
        Late = "late",
        /// It does not know what is asked.
        Unknown = "unknown",
        /// The server is not on its machine.
        NotMine = "not_mine",
    }
}

/// A worker does not obey.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommandRefused {
    /// Which command.
    pub command: CommandId,
    /// Why.
    pub reason: RefusedBecause,
    /// The highest fence that the worker has obeyed for this server.
    pub highest: Fence,
}
