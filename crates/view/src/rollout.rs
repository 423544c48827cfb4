//! A rollout as people see it.

use events::{
    Actor, Digest, Outcome, PersonId, RolloutFinished, RolloutId, ServerName, Target, Timestamp,
    Version,
};
use serde::{Deserialize, Serialize};

use crate::target::WaitView;

/// One version going to one target, now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RolloutView {
    /// Which.
    pub id: RolloutId,
    /// Where to.
    pub target: Target,
    /// What version.
    pub version: Version,
    /// What is installed.
    pub sha256: Digest,
    /// Digest of what was asked for: the same key with another one is another request.
    pub content: Digest,
    /// Where it stands.
    pub status: RolloutStatus,
    /// How it ended.
    pub outcome: Option<Outcome>,
    /// Why it stands where it stands.
    pub reason: Option<String>,
    /// Digest of its plan: what an approval is bound to.
    pub plan_digest: Option<Digest>,
    /// Who goes together.
    pub batches: Vec<Vec<ServerName>>,
    /// The batch that is open, from 1.
    pub batch_now: Option<u32>,
    /// The least number of servers that must stay UP.
    pub floor: Option<u32>,
    /// The least number of servers seen UP in an online pool after a drain.
    pub least_up: Option<u32>,
    /// Servers that could not be taken back: nobody knows what they ran before.
    pub no_way_back: Vec<ServerName>,
    /// What it waits for before it starts.
    pub gates: Vec<GateView>,
    /// Its servers.
    pub servers: Vec<ServerProgress>,
    /// What it waits for now.
    pub waiting: Vec<WaitView>,
    /// Who asked.
    pub requested_by: Actor,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// When its first batch was opened.
    pub started_at: Option<Timestamp>,
    /// When it was over.
    pub finished_at: Option<Timestamp>,
    /// Its end, whole.
    pub finish: Option<RolloutFinished>,
}

impl RolloutView {
    /// A rollout whose request is durable and which the orchestrator has not taken yet.
    #[must_use]
    pub fn accepted(
        id: RolloutId,
        target: Target,
        version: Version,
        sha256: Digest,
        content: Digest,
        requested_by: Actor,
        created_at: Timestamp,
    ) -> Self {
        Self {
            id,
            target,
            version,
            sha256,
            content,
            status: RolloutStatus::Accepted,
            outcome: None,
            reason: None,
            plan_digest: None,
            batches: Vec::new(),
            batch_now: None,
            floor: None,
            least_up: None,
            no_way_back: Vec::new(),
            gates: Vec::new(),
            servers: Vec::new(),
            waiting: Vec::new(),
            requested_by,
            created_at,
            started_at: None,
            finished_at: None,
            finish: None,
        }
    }
}

/// Where a rollout stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RolloutStatus {
    /// Its request is durable; the orchestrator has not taken it yet.
    Accepted,
    /// It waits for votes.
    WaitingApproval,
    /// Its votes are there; it waits for a window, the end of a freeze, or a success elsewhere.
    WaitingGate,
    /// It waits for another rollout.
    Queued,
    /// Its batches are carried out.
    Running,
    /// A person wants no new batch to be opened.
    Paused,
    /// Something failed; it waits for a person.
    Halted,
    /// It goes back.
    RollingBack,
    /// It is over; see `outcome`.
    Finished,
}

/// A gate, its votes, and what it waits for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GateView {
    /// Its id within the plan.
    pub id: String,
    /// What it waits for: `approval`, `promotion`, `window` or `freeze`.
    pub kind: String,
    /// What it waits for, in words; none: it is open.
    pub waits_for: Option<String>,
    /// Whether a person let the rollout pass it.
    pub overridden: bool,
    /// How many votes it needs; 0 where it does not wait for votes.
    pub count: u32,
    /// Of people with one of these roles; where it does not wait for votes: who may override it.
    pub from: Vec<String>,
    /// Whose votes count so far.
    pub votes: Vec<PersonId>,
    /// When it expires.
    pub until: Timestamp,
}

/// How far one server of a rollout is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServerProgress {
    /// Which server.
    pub server: ServerName,
    /// The step it is at: `drain`, `check-2`, `done`.
    pub step: String,
    /// Which try.
    pub attempt: u32,
    /// What a person needs to know.
    pub note: Option<String>,
}
