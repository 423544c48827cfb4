//! Probe a server through the maintenance pool.

use serde::{Deserialize, Serialize};

use crate::name::Version;

/// Who must have answered, and in which version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Expect {
    /// The server's line.
    pub server: String,
    /// The version; none when it is unknown.
    pub version: Option<Version>,
}

/// Probe a server through the maintenance pool.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    /// The request header that pins a request to one server.
    pub header: String,
    /// The response header that names who answered.
    pub answered_by: String,
    /// The probes; all must pass in one round.
    pub probes: Vec<Probe>,
    /// How many good rounds in a row make it healthy.
    pub in_a_row: u32,
    /// From one round to the next, in milliseconds.
    pub interval_ms: u64,
    /// The longest one probe may take, in milliseconds.
    pub probe_timeout_ms: u64,
    /// Who must answer.
    pub expect: Expect,
    /// Where no load balancer is in front: the server itself, such as `http://10.1.0.1:8080`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub direct: Option<String>,
}

/// One probe. `{version}` in expected texts has been filled in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "by", rename_all = "snake_case")]
pub enum Probe {
    /// A request through the maintenance pool.
    Http {
        /// Path and query.
        path: String,
        /// The status that is good.
        status: u16,
        /// A text that the body must contain.
        body: Option<String>,
        /// A header and a text that its value must contain.
        header: Option<(String, String)>,
    },
    /// A connection straight to the server.
    Tcp {
        /// `host:port`.
        address: String,
    },
    /// A program whose exit code 0 is good.
    Command {
        /// The program and its arguments.
        argv: Vec<String>,
    },
}
