//! Watch a server that is back online, beside those that still run the old version.

use serde::{Deserialize, Serialize};

use crate::open::open_enum;

open_enum! {
    /// What a watch says that has seen too few requests to judge by.
    TooFew {
        /// Steady: nobody was hurt.
        Pass = "pass",
        /// Regressed: nothing was shown.
        Fail = "fail",
    }
}

/// Requests, as HAProxy counts them on a server's line of the online pool.
///
/// Tried on HAProxy 2.6.12: `hrsp_5xx` of a line counts only what the server itself answered, and
/// `req_tot` only requests that it answered. The 502, 503 and 504 that HAProxy makes up for a
/// server that hangs up, refuses or is silent stand in `econ` and `eresp`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Requests {
    /// All that were sent there.
    pub requests: u64,
    /// Those that the server answered with a 5xx.
    pub errors_5xx: u64,
    /// Those that it did not answer, or broke off.
    pub broken: u64,
}

impl Requests {
    /// Those that went wrong.
    #[must_use]
    pub const fn errors(&self) -> u64 {
        self.errors_5xx.saturating_add(self.broken)
    }

    /// Both together.
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self {
            requests: self.requests.saturating_add(other.requests),
            errors_5xx: self.errors_5xx.saturating_add(other.errors_5xx),
            broken: self.broken.saturating_add(other.broken),
        }
    }
}

/// Probes that say how long a server takes to answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Probes {
    /// All that ended.
    pub probes: u64,
    /// Those that were answered as they should be, but later than is borne.
    pub slow: u64,
    /// Those that were not answered so: otherwise, not in the probe's own time, or not at all.
    pub failed: u64,
}

impl Probes {
    /// Those that were not answered well within what is borne.
    #[must_use]
    pub const fn late(&self) -> u64 {
        self.slow.saturating_add(self.failed)
    }

    /// Both together.
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self {
            probes: self.probes.saturating_add(other.probes),
            slow: self.slow.saturating_add(other.slow),
            failed: self.failed.saturating_add(other.failed),
        }
    }
}

/// How long answers may take, and who is asked. A server that is online is in maintenance in the
/// testers' pool, so that it and its peers are asked at their own addresses.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResponseTime {
    /// The longest an answer may take, in milliseconds.
    pub max_ms: u64,
    /// The share of late ones that is borne, in millionths of the probes.
    pub max_late_ppm: u32,
    /// The least number of probes of the server to judge by.
    pub min_probes: u32,
    /// From one probe to the next, in milliseconds.
    pub interval_ms: u64,
    /// The longest one probe is waited for, in milliseconds.
    pub timeout_ms: u64,
    /// Path and query of the probe, a GET.
    pub path: String,
    /// The status that is good.
    pub status: u16,
    /// The server itself, such as `http://10.1.0.1:8080`.
    pub server: String,
    /// Peers themselves, who are asked in turn.
    pub peers: Vec<String>,
}

/// Watch a server that is back online. It leaves the pools alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Watch {
    /// Lines of the online pool that still run the old version: what the server is compared with.
    pub peers: Vec<String>,
    /// How long, in milliseconds.
    pub for_ms: u64,
    /// How long at most, in milliseconds, while there are fewer than `min_requests`.
    pub longest_ms: u64,
    /// The share of errors that is borne, in millionths of the requests.
    pub max_5xx_ppm: u32,
    /// The least number of requests to judge by, of the server and of its peers each.
    pub min_requests: u64,
    /// What is said when the server has seen fewer.
    pub if_too_few: TooFew,
    /// Whether it must stay UP; not asked of a server that was not UP when it was taken out.
    pub must_be_up: bool,
    /// What the old version last did, for when no peer is left.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub baseline: Option<Requests>,
    /// How long answers may take; none: that is not looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub response: Option<ResponseTime>,
}
