//! Download and verify.

use serde::{Deserialize, Serialize};

use super::artifact::Artifact;
use super::install::Prove;
use crate::name::Version;

/// Download and verify.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fetch {
    /// What to download.
    pub artifact: Artifact,
    /// The package of its suites, downloaded and unpacked beside it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tests: Option<Artifact>,
    /// Which version it is.
    pub version: Version,
    /// Where releases of the service lie on the machine.
    pub into: String,
    /// Where no load balancer is in front: how the service shows that it is well before anything
    /// is changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prove: Option<Prove>,
    /// The entry of the agent's own credentials to use, by name.
    pub credentials_name: Option<String>,
}
