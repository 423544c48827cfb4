//! Install a version and prove what runs.

use serde::{Deserialize, Serialize};

use super::artifact::Artifact;
use crate::name::Version;
use crate::open::open_enum;

open_enum! {
    /// How a version gets onto the machine.
    InstallKind {
        /// Unpack into `releases/VERSION`, switch `current`, restart.
        Archive = "archive",
        /// Run the service's own installer.
        Command = "command",
    }
}

open_enum! {
    /// Which way an installation goes.
    Purpose {
        /// To the version of the rollout.
        Forward = "forward",
        /// Back to the last proven one.
        Back = "back",
    }
}

/// Install a version and prove what runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Install {
    /// How.
    pub method: InstallKind,
    /// What was fetched. For a way back it may lie on the agent's disk already.
    pub artifact: Artifact,
    /// Which version.
    pub version: Version,
    /// The service's folder on the machine.
    pub into: String,
    /// The service's own installer (method `command`), as an argument list.
    pub argv: Vec<String>,
    /// What ends the service before `current` is switched, as an argument list: where the files of a
    /// running program cannot be moved, as on Windows. Empty: nothing is stopped. What it ends with
    /// is not judged (a service may have been stopped already); the switch and the proof are.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stop: Vec<String>,
    /// How the service is restarted, or started after `stop`, as an argument list; never a shell string.
    pub restart: Vec<String>,
    /// How the agent knows what runs.
    pub prove: Prove,
    /// How many releases stay on disk.
    pub keep: u32,
    /// Which way this goes.
    pub purpose: Purpose,
}

/// How the agent knows which version of a service runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "by", rename_all = "snake_case")]
pub enum Prove {
    /// The service says so: the body of this URL has the version in it.
    Http {
        /// Absolute URL on the server itself.
        url: String,
    },
    /// A program prints it.
    Command {
        /// The program and its arguments.
        argv: Vec<String>,
    },
}
