//! The frozen plan of a rollout.

use serde::{Deserialize, Serialize};

use super::gate::Gate;
use super::sealed::Sealed;
use crate::command::{Artifact, Release, Requests};
use crate::digest::Digest;
use crate::id::RolloutId;
use crate::name::{BalancerName, MachineName, ServerName, Target, Version};

/// What will be done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RolloutPlanned {
    /// Which rollout.
    pub rollout: RolloutId,
    /// SHA-256 of the bytes of `plan`: what an approval is bound to.
    pub digest: Digest,
    /// The plan.
    pub plan: Sealed<Plan>,
}

/// A frozen plan: execution has no choice left but what the live pools allow.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// Which rollout.
    pub rollout: RolloutId,
    /// Where to.
    pub target: Target,
    /// What version.
    pub version: Version,
    /// What artifact.
    pub artifact: Artifact,
    /// The package that its suites are run from; none: they lie in the artifact itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tests: Option<Artifact>,
    /// The catalogue entry it was made from, as text.
    pub entry: String,
    /// Digest of that text.
    pub entry_sha256: Digest,
    /// The servers, in the order they are taken on.
    pub servers: Vec<PlannedServer>,
    /// Who goes together.
    pub batches: Vec<Vec<ServerName>>,
    /// The least number of servers that must stay UP in the online pool of each balancer.
    pub floor: u32,
    /// Database work before the servers; empty until that is built.
    pub before: Vec<String>,
    /// Database work after the servers; empty until that is built.
    pub after: Vec<String>,
    /// What it waits for before it starts.
    pub gates: Vec<Gate>,
    /// How long each wait may last.
    pub timeouts_ms: Timeouts,
    /// What the old version did when it was last watched beside a newer one; none: it never was,
    /// or nothing is watched.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub baseline: Option<Requests>,
    /// Servers that could not be taken back: nobody knows what they ran before.
    pub no_way_back: Vec<ServerName>,
    /// Version of the rules that made it; it ends under these.
    pub brain: u16,
}

impl Plan {
    /// The package that a server's suites are run from. On the way back it is the one that proved
    /// the previous version; where that had none, that of the new version: a service whose suites
    /// come in a package has none in its artifact.
    #[must_use]
    pub fn tests_of(&self, server: &ServerName, back: bool) -> Option<&Artifact> {
        let planned = self.servers.iter().find(|one| one.server == *server);
        let previous = planned
            .filter(|_| back)
            .and_then(|planned| planned.previous_tests.as_ref());
        previous.or(self.tests.as_ref())
    }
}

/// A server in a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedServer {
    /// Its name.
    pub server: ServerName,
    /// Its machine.
    pub machine: MachineName,
    /// `host:port`.
    pub address: String,
    /// The balancers it is behind.
    pub balancers: Vec<BalancerName>,
    /// The last version that was proven there.
    pub previous: Option<Release>,
    /// The package whose suites proved that version, where there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous_tests: Option<Artifact>,
    /// Whether it was UP in the online pool of every balancer when the plan was made.
    pub up: bool,
}

/// How long each wait of a plan may last, in milliseconds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Timeouts {
    /// Until a worker must have begun.
    pub start_within: u64,
    /// A download.
    pub fetch: u64,
    /// A drain, the time for pinned customers included.
    pub drain: u64,
    /// An installation.
    pub install: u64,
    /// A check.
    pub check: u64,
    /// All suites together.
    pub test: u64,
    /// Putting a server back.
    pub restore: u64,
    /// A watch; absent where nothing is watched.
    #[serde(default, skip_serializing_if = "is_nothing")]
    pub watch: u64,
    /// How much longer than a worker the orchestrator waits.
    pub margin: u64,
    /// How long a halt or a pause waits for a person.
    pub person_wait: u64,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde asks with a reference"
)]
const fn is_nothing(ms: &u64) -> bool {
    *ms == 0
}
