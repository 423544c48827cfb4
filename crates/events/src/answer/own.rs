//! Answers of an agent to a `Drain`, `Restore` or `Hold` by the service's own command.

use serde::{Deserialize, Serialize};

use super::failure::Failure;
use super::output::Output;
use crate::id::CommandId;

/// The service's own command ended well.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OwnDone {
    /// Which command.
    pub command: CommandId,
    /// How long it took.
    pub took_ms: u64,
    /// What it printed.
    pub output: Output,
}

/// The service's own command did not end well, or not in time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OwnFailed {
    /// Which command.
    pub command: CommandId,
    /// Why.
    pub failure: Failure,
    /// What it printed.
    pub output: Output,
}
