//! What is so on one target: the fold of its events.

mod gates;
mod pairs;
mod stage;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use events::{
    Balancer, BalancerName, Claim, Command, Digest, Epoch, MachineName, Own, PersonId, Plan,
    PlannedServer, Pool, Release, ReportId, Requests, RolloutId, RolloutRequested, Seq, ServerName,
    Target, Timestamp, WatchSeen,
};
use serde::{Deserialize, Serialize};

use crate::busy::Behind;
use crate::catalogue::Entry;
use crate::rules::Rules;
use crate::step::Course;

pub use gates::{Freeze, Gated, Newest, Promoted, Successor};
pub use stage::{After, Stage};

/// One target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct State {
    /// Which target.
    pub target: Target,
    /// Events folded so far: the number of the last one.
    pub n: u64,
    /// Time of the last one.
    pub at: Timestamp,
    /// The owner's epoch.
    pub epoch: Epoch,
    /// A worker has obeyed this epoch: commands wait for an owner above it.
    pub epoch_seen: Option<Epoch>,
    /// The catalogue entry that counts for the next rollout.
    pub entry: Option<Arc<Entry>>,
    /// That entry's text, which a plan freezes.
    pub entry_text: Arc<str>,
    /// Digest of that text.
    pub entry_sha256: Option<Digest>,
    /// Every server that the target has or had.
    pub servers: BTreeMap<ServerName, Server>,
    /// The one rollout that runs.
    pub rollout: Option<Box<Rollout>>,
    /// Rollouts that wait, in their order.
    pub queue: Vec<Request>,
    /// Requests of the last 30 days: the same id again is the same request.
    pub known: BTreeMap<RolloutId, Known>,
    /// Words of people that counted, of the last 30 days.
    pub heard: BTreeMap<ReportId, Timestamp>,
    /// What the old version did when it was last watched beside a newer one.
    pub baseline: Option<Requests>,
    /// The newest build of each source (controller and job) that was taken on in the last 30 days.
    #[serde(with = "pairs")]
    pub builds: BTreeMap<(String, String), Newest>,
    /// Freezes that are not over, by id.
    pub freezes: BTreeMap<ReportId, Freeze>,
    /// The last success of each release elsewhere, as long as any gate may ask for it.
    pub promoted: Vec<Promoted>,
    /// Which rules hold.
    #[serde(skip)]
    pub rules: Rules,
}

/// A request that was taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Known {
    /// Digest of what was asked for.
    pub content: Digest,
    /// When.
    pub at: Timestamp,
}

/// A rollout that waits for its turn.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// What was asked for.
    pub asked: RolloutRequested,
    /// Until when it holds its place.
    pub until: Timestamp,
}

/// One server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Server {
    /// The machine it lives on.
    pub machine: MachineName,
    /// `host:port`.
    pub address: String,
    /// The balancers it is behind, as last known.
    pub balancers: Vec<Balancer>,
    /// What takes it out of work and puts it back, where no load balancer is in front.
    pub own: Option<(Own, Own)>,
    /// There: whether it takes work, as far as its agent has said; none when nothing was heard.
    pub serves: Option<bool>,
    /// HAProxy backend that customers reach.
    pub online: String,
    /// HAProxy backend that only testers reach.
    pub maintenance: String,
    /// Whether the catalogue still has it.
    pub in_catalogue: bool,
    /// Number of its latest record.
    pub seq: Seq,
    /// The last release that was proven there.
    pub proven: Option<Release>,
    /// The package whose suites proved that release, where there was one.
    pub proven_by: Option<events::Artifact>,
    /// What its agent last proved to run, since the last `Install`.
    pub installed: Option<Release>,
    /// An `Install` was issued and it has not since passed check and tests.
    pub unproven: bool,
    /// Where it is on each balancer, and whether it is UP there.
    pub pools: BTreeMap<BalancerName, (Pool, bool)>,
    /// What its agent last reported to run.
    pub runs: Option<Release>,
    /// The one outstanding command.
    pub outstanding: Option<Outstanding>,
    /// Why it is set aside, when its rollout is over.
    pub aside: Option<Aside>,
    /// It was found out of the pool with nothing outstanding.
    pub strayed: bool,
    /// What was last seen that a person must judge.
    pub drift: Option<String>,
    /// Attempts used so far in the present rollout, by step word.
    pub attempts: BTreeMap<String, u32>,
    /// Repairs so far.
    pub repairs: u32,
}

/// Why a server is set aside after its rollout.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Aside {
    /// Out and unproven.
    Stuck {
        /// Since which rollout.
        rollout: RolloutId,
        /// Why.
        reason: String,
    },
    /// Proven, but not drained or put back.
    Left {
        /// Since which rollout.
        rollout: RolloutId,
        /// Why.
        reason: String,
    },
}

/// A command that waits for its answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outstanding {
    /// The command, as the latest owner published it.
    pub command: Arc<Command>,
    /// Whether the worker said that it has begun.
    pub started: bool,
    /// What its clock counts from.
    pub since: Timestamp,
    /// Whether the service's own command has been answered for; of use for a `Hold`, which stays.
    pub own_done: bool,
    /// Of a `Hold`: when that command failed.
    pub own_failed_at: Option<Timestamp>,
    /// What its agent does first, each once, in order.
    pub queued: Vec<Behind>,
    /// Balancers whose controller has done it.
    pub answered: BTreeSet<BalancerName>,
    /// Of a watch: what was seen so far.
    pub watched: Option<WatchSeen>,
}

/// The rollout that runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rollout {
    /// What was asked for.
    pub asked: RolloutRequested,
    /// What will be done.
    pub plan: Arc<Plan>,
    /// Digest of the plan as written.
    pub digest: Digest,
    /// The entry it was planned from.
    pub entry: Arc<Entry>,
    /// Where it is.
    pub phase: Phase,
    /// Votes that count.
    pub votes: Vec<Vote>,
    /// How it stands with its other gates.
    pub gated: Gated,
    /// Set while paused: until when.
    pub paused: Option<Halt>,
    /// Set while halted: until when.
    pub halted: Option<Halt>,
    /// Set when a person wants it, halted as it is, to end for another one.
    pub successor: Option<Successor>,
    /// Set when a person wants it stopped: why.
    pub aborted: Option<String>,
    /// The first thing that failed.
    pub failure: Option<String>,
    /// Its servers.
    pub members: BTreeMap<ServerName, Member>,
    /// The order in which servers are taken on.
    pub order: Vec<ServerName>,
    /// Servers that joined after the plan was made.
    pub joined: Vec<PlannedServer>,
    /// Batches opened so far.
    pub batch: u32,
    /// When its first batch was opened.
    pub started_at: Option<Timestamp>,
    /// The least number of servers seen UP in an online pool after a drain.
    pub least_up: Option<u32>,
    /// Requests that we ended.
    pub cut: u32,
    /// Customers' requests that reached a server that was kept out.
    pub held_out_requests: u64,
}

/// A wait for a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Halt {
    /// Why.
    pub reason: String,
    /// Until when; then the rollout goes back.
    pub until: Timestamp,
}

/// A vote that counts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Vote {
    /// On which gate.
    pub gate: String,
    /// Whose.
    pub person: PersonId,
}

/// Where a rollout is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Phase {
    /// It waits for its gates; nothing is commanded.
    Gates,
    /// It goes forward.
    Forward,
    /// It goes back.
    Back,
}

/// A server in a rollout.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// Where it is.
    pub stage: Stage,
    /// Failed tries of the present step.
    pub tries: u32,
    /// Refusals by the floor without progress in between.
    pub refused: u32,
    /// An `Install` of the new version was issued.
    pub touched: bool,
    /// Whether it was UP when it was taken out.
    pub was_up: bool,
    /// It was taken out and is not back.
    pub out: bool,
    /// Why it failed.
    pub failure: Option<String>,
    /// It failed on its way back: nothing more is tried.
    pub gave_up: bool,
    /// What it goes back to.
    pub previous: Option<Release>,
}

impl State {
    /// A target of which nothing is known.
    #[must_use]
    pub fn new(target: Target) -> Self {
        Self::with_rules(target, Rules::default())
    }

    /// The same, under rules of which one may be broken.
    #[must_use]
    pub fn with_rules(target: Target, rules: Rules) -> Self {
        Self {
            target,
            n: 0,
            at: Timestamp::default(),
            epoch: 0,
            epoch_seen: None,
            entry: None,
            entry_text: Arc::from(""),
            entry_sha256: None,
            servers: BTreeMap::new(),
            rollout: None,
            queue: Vec::new(),
            known: BTreeMap::new(),
            heard: BTreeMap::new(),
            baseline: None,
            builds: BTreeMap::new(),
            freezes: BTreeMap::new(),
            promoted: Vec::new(),
            rules,
        }
    }

    /// The member of the running rollout, if the server is one.
    #[must_use]
    pub fn member(&self, server: &ServerName) -> Option<&Member> {
        self.rollout
            .as_ref()
            .and_then(|rollout| rollout.members.get(server))
    }
}

impl Server {
    /// Whether it is UP in the online pool of every balancer, as far as is known; a server of
    /// which nothing was seen counts as UP, so that it is treated with care.
    #[must_use]
    pub fn is_up(&self) -> bool {
        if self.own.is_some() {
            return !self.unproven && self.aside.is_none() && self.serves != Some(false);
        }
        !self.unproven
            && self.balancers.iter().all(|balancer| {
                self.pools
                    .get(&balancer.name)
                    .is_none_or(|(pool, up)| *up && *pool == Pool::Online)
            })
    }
}

impl Rollout {
    /// Its id.
    #[must_use]
    pub fn id(&self) -> RolloutId {
        self.plan.rollout
    }

    /// A server of it, as planned or as joined.
    #[must_use]
    pub fn planned(&self, server: &ServerName) -> Option<&PlannedServer> {
        let all = self.plan.servers.iter().chain(&self.joined);
        all.into_iter().find(|planned| planned.server == *server)
    }

    /// Which steps its service has.
    #[must_use]
    pub fn course(&self) -> Course {
        Course {
            tests: !self.entry.tests.is_empty(),
            watch: self.entry.rollout.watch.is_some(),
        }
    }

    /// The people who may not vote: the requester and all claims.
    #[must_use]
    pub fn parties(&self) -> BTreeSet<&str> {
        let claims = self
            .asked
            .claims
            .iter()
            .filter_map(|claim: &Claim| claim.person.as_ref());
        claims
            .map(PersonId::as_str)
            .chain(std::iter::once(self.asked.requested_by.id.as_str()))
            .collect()
    }
}
