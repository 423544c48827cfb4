//! Answers to an `Install`.

use serde::{Deserialize, Serialize};

use super::failure::Failure;
use super::output::Output;
use crate::command::Release;
use crate::digest::Digest;
use crate::id::CommandId;
use crate::name::Version;

/// How it is known what runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proof {
    /// `http` or `command`.
    pub kind: String,
    /// What was read, at most 1 KiB.
    pub value: String,
}

/// The version runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Installed {
    /// Which command.
    pub command: CommandId,
    /// The version that runs.
    pub version: Version,
    /// The digest of the artifact that runs.
    pub sha256_runs: Digest,
    /// How that is known.
    pub proof: Proof,
    /// What ran before, where the agent knows.
    pub previous: Option<Release>,
    /// How long it took.
    pub took_ms: u64,
    /// Whether a former life of the agent had begun it.
    pub resumed: bool,
    /// What the installer or restart printed.
    pub output: Output,
}

/// The version does not run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InstallFailed {
    /// Which command.
    pub command: CommandId,
    /// Why.
    pub failure: Failure,
    /// What the installer or restart printed.
    pub output: Output,
}
