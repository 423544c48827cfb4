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
    /// Why nothing is decided for it any more, if so: whether its key counts is then not known.
    #[serde(default)]
    pub stands_still: Option<String>,
}

impl MachineView {
    /// Whether its agent's key counts.
    #[must_use]
    pub const fn counts(&self) -> bool {
        !self.revoked && self.stands_still.is_none()
    }
}
