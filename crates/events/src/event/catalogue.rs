//! The catalogue, and what runs by a person's word.

use serde::{Deserialize, Serialize};

use crate::command::Release;
use crate::digest::Digest;
use crate::envelope::Actor;
use crate::name::ServerName;

/// A catalogue entry counts from now on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceDefined {
    /// The file's text, as it is.
    pub entry: String,
    /// Digest of that text.
    pub sha256: Digest,
    /// Who says so.
    pub by: Actor,
}

/// What runs on a server, by a person's word.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Adopted {
    /// Which server.
    pub server: ServerName,
    /// What runs there.
    pub release: Release,
    /// Who says so.
    pub by: Actor,
}
