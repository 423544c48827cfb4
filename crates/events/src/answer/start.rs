//! A worker begins a command, or does not obey it.

use serde::{Deserialize, Serialize};

use crate::id::{CommandId, Fence};
use crate::name::Target;
use crate::open::open_enum;

/// An agent has begun.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommandStarted {
    /// Which command.
    pub command: CommandId,
}

/// An agent cannot begin yet: it does one thing at a time, and something else runs. The time in
/// which it must have begun starts anew, longer by the time that the other work may take.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommandQueued {
    /// Which command waits.
    pub command: CommandId,
    /// The command that runs on this machine.
    pub behind: CommandId,
    /// Whose that is: mostly another service's.
    pub behind_target: Target,
    /// The longest that it may take, in milliseconds.
    pub at_most_ms: u64,
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
