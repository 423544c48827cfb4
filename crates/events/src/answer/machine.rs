//! What an agent sees on its machine without being asked.

use serde::{Deserialize, Serialize};

use crate::command::Release;
use crate::name::{MachineName, ServerName};

/// One server as its agent knows it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ServerRuns {
    /// Which server.
    pub server: ServerName,
    /// What runs there.
    pub release: Option<Release>,
}

/// What runs on a machine: this target's servers only, on change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgentSeen {
    /// Which machine.
    pub machine: MachineName,
    /// The target's servers there.
    pub servers: Vec<ServerRuns>,
    /// The agent's version.
    pub agent_version: String,
}
