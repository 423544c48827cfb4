//! Answers to a `Fetch`.

use serde::{Deserialize, Serialize};

use super::failure::Failure;
use crate::digest::Digest;
use crate::id::CommandId;

/// The artifact is on the machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fetched {
    /// Which command.
    pub command: CommandId,
    /// What the bytes hash to.
    pub sha256: Digest,
    /// How many bytes.
    pub bytes: u64,
    /// How long it took.
    pub took_ms: u64,
    /// Whether the service showed that it is well, where that was asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_well: Option<bool>,
}

/// The artifact could not be fetched.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FetchFailed {
    /// Which command.
    pub command: CommandId,
    /// Why.
    pub failure: Failure,
}
