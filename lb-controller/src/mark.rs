//! Our own marks: what we took out, and for which command. They are what tells our work from a
//! person's, and the only memory that outlives us.

use std::collections::BTreeMap;

use events::{CommandId, Fence, ServerName, Target, Timestamp};
use serde::{Deserialize, Serialize};

use crate::observed::Admin;

/// Everything that lies in the file of marks.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Marks {
    /// What we took out, by the key of the server's command record.
    pub taken: BTreeMap<String, Mark>,
    /// Where servers stand in HAProxy, as records have told: somebody must still see that a person
    /// drained a server of which no record is left.
    pub known: BTreeMap<Target, Known>,
}

/// The pools of a target and its lines in them.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Known {
    /// Backend that customers reach.
    pub online: String,
    /// Backend that only testers reach.
    pub maintenance: String,
    /// Each server's line in both.
    pub lines: BTreeMap<ServerName, String>,
}

/// One server that we take out or have taken out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    /// The command that took it out.
    pub command: CommandId,
    /// That command's fence.
    pub fence: Fence,
    /// False while it is being drained and may still be put back by us; true once it was out, saved
    /// and about to be reported: from then on only a `Restore` puts it online.
    pub out: bool,
    /// Whether something that keeps it out came after its drain: it may carry an unproven version, so
    /// keeping it out is no longer judged by the floor.
    pub unproven: bool,
    /// What was asked of its online line before us; not `Ready` when a person had it out already.
    pub online_before: Admin,
    /// What was asked of its maintenance line before us.
    pub maintenance_before: Admin,
    /// Whether customers' requests went to it before us.
    pub was_up: bool,
    /// Servers UP in the online pool before us.
    pub up_before: u32,
    /// When we began, by the wall clock: a controller that starts again goes on from there.
    pub began_at: Timestamp,
    /// Requests that we ended.
    pub cut: u32,
    /// Requests of pinned customers that came while it was draining.
    pub pinned_seen: u64,
    /// How long it took until it was out, in milliseconds.
    pub waited_ms: u64,
    /// HAProxy's counter when it was out, to count what reaches it from then on.
    pub baseline: Option<Baseline>,
}

impl Mark {
    /// Whether a person had it out before us.
    #[must_use]
    pub fn by_person(&self) -> bool {
        self.online_before != Admin::Ready
    }
}

/// HAProxy's counter of one line at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Baseline {
    /// Of which HAProxy process.
    pub pid: u32,
    /// Requests sent there until then.
    pub requests: u64,
}

impl Baseline {
    /// Requests that came since; a new process counts from 0.
    #[must_use]
    pub const fn requests_until(self, now: Self) -> u64 {
        if self.pid == now.pid {
            now.requests.saturating_sub(self.requests)
        } else {
            now.requests
        }
    }
}
