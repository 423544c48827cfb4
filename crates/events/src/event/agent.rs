//! Which agents' keys count.

use serde::{Deserialize, Serialize};

use crate::envelope::Actor;
use crate::name::MachineName;

/// An agent's key counts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgentEnrolled {
    /// Which machine.
    pub machine: MachineName,
    /// Its Ed25519 public key, base64.
    pub public_key: String,
}

/// An agent's key counts no more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgentRevoked {
    /// Which machine.
    pub machine: MachineName,
    /// Who says so.
    pub by: Actor,
    /// Why.
    pub reason: String,
}
