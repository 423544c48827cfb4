//! A target as people see it.

use events::{
    BalancerName, CommandId, Digest, MachineName, Pool, Release, ReportId, RolloutId, ServerName,
    Target, Timestamp,
};
use serde::{Deserialize, Serialize};

/// One service in one environment, now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TargetView {
    /// Which.
    pub target: Target,
    /// The last event in it.
    pub as_of: AsOf,
    /// Why it stands still, if it does: an event that this version cannot read, a broken chain, or
    /// a decision that can never be written. Nothing is decided for it any more; the rest of this
    /// document is how it stood then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stands_still: Option<String>,
    /// Whose service it is, as the catalogue says.
    pub owner: String,
    /// Digest of its catalogue entry: who applies the same again changes nothing.
    pub entry_sha256: Digest,
    /// The service's name.
    pub service: String,
    /// The environment's name.
    pub environment: String,
    /// The least number of servers that must stay UP in the online pool of each balancer.
    pub floor: u32,
    /// Its servers, in the catalogue's order.
    pub servers: Vec<ServerView>,
    /// The rollout that runs, or waits for votes.
    pub rollout: Option<RolloutId>,
    /// Whose builds may ask for it, if the catalogue says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jenkins: Option<JenkinsView>,
    /// Rollouts that wait behind it, the next one first.
    pub queue: Vec<RolloutId>,
    /// What it waits for now.
    pub waiting: Vec<WaitView>,
    /// Freezes that count or are to come.
    pub freezes: Vec<FreezeView>,
}

/// Nothing begins for a while.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FreezeView {
    /// Its id.
    pub freeze: ReportId,
    /// From when on.
    pub from: Timestamp,
    /// Until before when.
    pub until: Timestamp,
    /// Why.
    pub reason: String,
}

/// The build job of a service, as its catalogue entry has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JenkinsView {
    /// The job's URL.
    pub job: String,
    /// The build parameter that holds the version.
    pub version_parameter: Option<String>,
    /// The build parameter that holds the artifact's digest.
    pub sha256_parameter: Option<String>,
    /// The environment that a notification asks for.
    pub environment: Option<String>,
    /// The build parameter that names the environment instead.
    pub environment_parameter: Option<String>,
}

/// Up to which event a document goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct AsOf {
    /// The event's number within its target.
    pub n: u64,
    /// The owner's time of it.
    pub at: Timestamp,
}

/// One server, now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServerView {
    /// Its short name.
    pub name: ServerName,
    /// Its machine.
    pub machine: MachineName,
    /// `host:port`.
    pub address: String,
    /// Where it is on each balancer, as its lb-controller saw it last.
    pub pools: Vec<PoolView>,
    /// The version last proven there.
    pub proven: Option<Release>,
    /// Whether an install was started that has not passed check and tests since.
    pub unproven: bool,
    /// Why it is out and stays so, if it does.
    pub out: Option<ServerOut>,
    /// What is being done with it.
    pub outstanding: Option<Outstanding>,
}

/// Where a server is on one balancer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PoolView {
    /// Which balancer.
    pub balancer: BalancerName,
    /// Which pool.
    pub pool: Pool,
    /// Whether its health check is good.
    pub up: bool,
}

/// A server that stays out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServerOut {
    /// In which way.
    pub kind: OutReason,
    /// The rollout that took it out.
    pub rollout: RolloutId,
    /// For people.
    pub why: String,
}

/// In which way a server stays out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OutReason {
    /// Unproven, kept out by a `Hold`.
    Held,
    /// Out when its rollout ended.
    Stuck,
    /// Proven, but could not be drained or put back.
    Left,
}

/// A command without its answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outstanding {
    /// Which command.
    pub command: CommandId,
    /// `fetch`, `drain`, `install`, `check`, `test`, `restore`, `hold`.
    pub kind: String,
    /// Which try.
    pub attempt: u32,
    /// When its time is over.
    pub deadline_at: Timestamp,
    /// Whether its worker has said that it began.
    pub started: bool,
}

/// Something that is waited for, in words, with its deadline.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WaitView {
    /// For what: `web2: 7 requests running`.
    pub what: String,
    /// Until when.
    pub until: Option<Timestamp>,
    /// Whether it is a person that is waited for.
    pub person: bool,
}
