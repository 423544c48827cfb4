//! A look at a machine: what only its agent can see, asked for when somebody wants to know. It
//! changes nothing, is no command, and never comes into the log.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::time::Timestamp;

/// What somebody wants to know of a machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Look {
    /// Which question, so that an answer finds who asked.
    pub id: Uuid,
    /// What it is about.
    #[serde(flatten)]
    pub at: LookAt,
}

/// Where to look. At most [`LookAt::MOST`] of each.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LookAt {
    /// Folders whose disk must have room; one that is not there yet stands for the nearest above it.
    #[serde(default)]
    pub folders: Vec<String>,
    /// Programs as argument lists name them: a path, or a name that the agent's `PATH` leads to.
    #[serde(default)]
    pub programs: Vec<String>,
    /// Artifacts that must be reachable.
    #[serde(default)]
    pub urls: Vec<String>,
}

impl LookAt {
    /// The most folders, programs and URLs of one look.
    pub const MOST: usize = 32;
}

/// `POST /agents/v1/look`: what an agent saw.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Looked {
    /// Which question.
    pub id: Uuid,
    /// The agent's clock when it answered.
    pub clock: Timestamp,
    /// The agent's version.
    pub agent_version: String,
    /// One for each folder, in their order; the agent's own data folder is the first.
    pub folders: Vec<FolderSeen>,
    /// One for each program, in their order.
    pub programs: Vec<ProgramSeen>,
    /// One for each URL, in their order.
    pub urls: Vec<UrlSeen>,
}

/// A folder as an agent sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FolderSeen {
    /// Which.
    pub folder: String,
    /// What the agent may still write there, in bytes; none: it cannot tell.
    pub free_bytes: Option<u64>,
}

/// A program as an agent sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProgramSeen {
    /// Which.
    pub program: String,
    /// Whether there is such a file.
    pub found: bool,
}

/// A URL as an agent sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UrlSeen {
    /// Which.
    pub url: String,
    /// The status of the answer to `HEAD`; none: no answer.
    pub status: Option<u16>,
    /// Why there was no answer.
    pub why: Option<String>,
    /// Whether nobody was asked, since this agent's own settings forbid it; `why` says which do.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub forbidden: bool,
    /// Whether the agent has a login for that host, and asked with it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub logged_in: bool,
}
