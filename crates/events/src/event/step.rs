//! Batches and their steps.

use serde::{Deserialize, Serialize};

use crate::command::Command;
use crate::id::{CommandId, RolloutId};
use crate::name::{BalancerName, ServerName};

/// Servers are taken on together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BatchStarted {
    /// Which rollout.
    pub rollout: RolloutId,
    /// Its number, from 1.
    pub batch: u32,
    /// Which servers.
    pub servers: Vec<ServerName>,
}

/// A command is outstanding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommandIssued {
    /// The command.
    pub command: Box<Command>,
}

/// No answer in time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepTimedOut {
    /// To which command.
    pub command: CommandId,
    /// Whether the worker had said that it began.
    pub started: bool,
    /// Balancers whose controller had not answered.
    pub silent: Vec<BalancerName>,
}
