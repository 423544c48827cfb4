//! Artifacts, and the versions they are.

use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::name::Version;

/// An artifact to download.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Artifact {
    /// Where it lies.
    pub url: String,
    /// What it must hash to.
    pub sha256: Digest,
    /// The largest size that is downloaded.
    pub max_bytes: u64,
}

/// A version and the digest of its artifact.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Release {
    /// The version.
    pub version: Version,
    /// The artifact's digest.
    pub sha256: Digest,
}
