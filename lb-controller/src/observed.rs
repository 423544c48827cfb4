//! What HAProxy and its state file say.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// What somebody asked of a server by HAProxy's runtime API. The three exclude each other there: each
/// `set server .. state` clears what the others had set (tried on HAProxy 2.6.12).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Admin {
    /// Takes requests, when its check is good.
    Ready,
    /// Takes only requests that a cookie pins to it.
    Drain,
    /// Takes none; running ones go on.
    Maint,
}

impl Admin {
    const FORCED_MAINT: u32 = 0x01;
    const FORCED_DRAIN: u32 = 0x08;

    /// From `srv_admin_state` of `show servers state`. Bits that are inherited through `track`, or
    /// that only remember the configuration, are nobody's wish for this line.
    #[must_use]
    pub const fn from_bits(bits: u32) -> Self {
        if bits & Self::FORCED_MAINT != 0 {
            Self::Maint
        } else if bits & Self::FORCED_DRAIN != 0 {
            Self::Drain
        } else {
            Self::Ready
        }
    }

    /// The word of `set server .. state`.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::Drain => "drain",
            Self::Maint => "maint",
        }
    }
}

/// One server line of one backend, as HAProxy says it is now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// What somebody asked of it.
    pub admin: Admin,
    /// `status` of `show stat`: `UP`, `UP 1/2`, `DOWN`, `DRAIN`, `MAINT`, `no check`, ...
    pub status: String,
    /// Whether its check is good (`srv_op_state` 2). False in `maint`, where it is not known.
    pub checked_up: bool,
    /// Requests that run there (`scur`); idle connections are not among them.
    pub running: u32,
    /// Requests that wait there (`qcur`).
    pub queued: u32,
    /// Requests that were ever sent there since HAProxy started (`stot`).
    pub requests: u64,
    /// Since when its status is what it is (`lastchg`), in milliseconds.
    pub unchanged_ms: u64,
    /// The row of `show stat` as it was read: evidence for reports.
    pub text: String,
}

impl Row {
    /// Whether it counts for a floor: UP for certain. `UP 1/2` is one whose last check failed, or
    /// that was not checked yet.
    #[must_use]
    pub fn is_up(&self) -> bool {
        self.status == "UP" || self.status == "no check"
    }

    /// Whether customers' requests may be balanced to it now, `UP 1/2` included.
    #[must_use]
    pub fn serves(&self) -> bool {
        self.status.starts_with("UP") || self.status == "no check"
    }

    /// Nothing runs there and nothing waits.
    #[must_use]
    pub const fn is_idle(&self) -> bool {
        self.running == 0 && self.queued == 0
    }
}

/// The HAProxy process that answers: its runtime state and counters live as long as it does.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Process {
    /// Its id; another one means that counters began anew.
    pub pid: u32,
    /// Its version.
    pub version: String,
    /// How long it has run, in milliseconds (HAProxy says seconds).
    pub uptime_ms: u64,
}

/// What HAProxy says at one moment.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Observed {
    /// Who says so.
    pub process: Process,
    /// Every server line, by backend and line.
    pub rows: BTreeMap<(String, String), Row>,
}

impl Observed {
    /// One line of one backend.
    #[must_use]
    pub fn row(&self, backend: &str, line: &str) -> Option<&Row> {
        self.rows.get(&(backend.to_owned(), line.to_owned()))
    }
}

/// What the state file on disk will make HAProxy do at its next start: backend and line to what was
/// asked of it. Empty when there is no readable file.
pub type Saved = BTreeMap<(String, String), Admin>;
