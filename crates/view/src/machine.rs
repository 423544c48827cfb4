//! A machine as the agents' door needs it.

use events::MachineName;
use serde::{Deserialize, Serialize};

/// One machine and its agent's key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MachineView {
    /// Which.
    pub machine: MachineName,
    /// Its agent's Ed25519 public key, base64; the last one, also after a revocation.
    pub public_key: String,
    /// Whether that key counts no more.
    pub revoked: bool,
}
