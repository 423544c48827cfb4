//! Commands: what a worker must make true on a server now. A command carries all that its worker
//! needs; workers have no catalogue, no policy and no memory of their own.

mod artifact;
mod check;
mod drain;
mod fetch;
mod hold;
mod install;
mod own;
mod record;
mod restore;
mod since;
mod suite;
mod watch;

use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::id::{CommandId, Epoch, Fence, RolloutRef, Seq};
use crate::name::{BalancerName, MachineName, ServerName, Target};
use crate::time::Timestamp;

pub use artifact::*;
pub use check::*;
pub use drain::*;
pub use fetch::*;
pub use hold::*;
pub use install::*;
pub use own::*;
pub use record::*;
pub use restore::*;
pub use since::Since;
pub use suite::*;
pub use watch::*;

/// What must be made true on one server now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Command {
    /// `rollout/server/step/attempt`.
    pub id: CommandId,
    /// The server's target.
    pub target: Target,
    /// The server, by its short name.
    pub server: ServerName,
    /// Its machine.
    pub machine: MachineName,
    /// The rollout it belongs to, or `repair`.
    pub rollout: RolloutRef,
    /// The owner's epoch: first half of the fence.
    pub epoch: Epoch,
    /// The server's number: second half of the fence.
    pub seq: Seq,
    /// Which try this is; 1 is the first.
    pub attempt: u32,
    /// The owner's time when it was issued, or when a new owner took it over.
    pub issued_at: Timestamp,
    /// How long a worker may take to begin, in milliseconds since `issued_at`.
    pub start_within_ms: u64,
    /// How long the work may take, in milliseconds since it began.
    pub timeout_ms: u64,
    /// After this, by the owner's clock, no worker may act on it any more.
    pub deadline_at: Timestamp,
    /// Digest of the plan it carries out; none for repairs.
    pub plan_digest: Option<Digest>,
    /// W3C trace context.
    pub traceparent: Option<String>,
    /// The load balancers that the server is behind, in order.
    pub balancers: Vec<Balancer>,
    /// HAProxy backend that customers reach.
    pub online: String,
    /// HAProxy backend that only testers reach.
    pub maintenance: String,
    /// The server's line in those backends.
    pub line: String,
    /// Where no load balancer is in front: what carries a `Drain`, `Restore` or `Hold` out in its
    /// place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub own: Option<Own>,
    /// What to do.
    pub work: Work,
}

impl Command {
    /// What a worker compares before it obeys.
    #[must_use]
    pub const fn fence(&self) -> Fence {
        Fence {
            epoch: self.epoch,
            seq: self.seq,
        }
    }

    /// Which worker carries it out.
    #[must_use]
    pub const fn worker(&self) -> Worker {
        match self.work.worker() {
            Worker::LbController if self.own.is_some() => Worker::Agent,
            worker @ (Worker::LbController | Worker::HealthChecker | Worker::Agent) => worker,
        }
    }
}

/// A load balancer as a command names it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Balancer {
    /// Its name: that of its lb-controller's settings.
    pub name: BalancerName,
    /// Where testers reach the maintenance pool, such as `http://10.0.0.11:8081`.
    pub testers: String,
}

/// The kinds of work, each with what it needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Work {
    /// Download and verify while the server is still online.
    Fetch(Fetch),
    /// Take the server out of the online pool, let its requests finish.
    Drain(Drain),
    /// Switch to the version, restart, prove what runs.
    Install(Install),
    /// Probe it through the maintenance pool.
    Check(Check),
    /// Run the suites against it through the maintenance pool.
    Test(Test),
    /// Put it back into the online pool.
    Restore(Restore),
    /// Keep it out: it is unproven.
    Hold(Hold),
    /// Look at it while customers reach it.
    Watch(Watch),
}

impl Work {
    /// All words on the wire, in the order of the contract.
    pub const KINDS: &'static [&'static str] = &[
        "fetch", "drain", "install", "check", "test", "restore", "hold", "watch",
    ];

    /// Whether this command, while it is outstanding, keeps the server out of the online pool.
    #[must_use]
    pub const fn keeps_out(&self) -> bool {
        match self {
            Self::Drain(_) | Self::Install(_) | Self::Check(_) | Self::Test(_) | Self::Hold(_) => {
                true
            }
            Self::Fetch(_) | Self::Restore(_) | Self::Watch(_) => false,
        }
    }

    /// Which worker carries it out, unless it is done by the service's [`Own`] command.
    #[must_use]
    pub const fn worker(&self) -> Worker {
        match self {
            Self::Drain(_) | Self::Restore(_) | Self::Hold(_) => Worker::LbController,
            Self::Fetch(_) | Self::Install(_) | Self::Test(_) => Worker::Agent,
            Self::Check(_) | Self::Watch(_) => Worker::HealthChecker,
        }
    }

    /// The word on the wire.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Fetch(_) => "fetch",
            Self::Drain(_) => "drain",
            Self::Install(_) => "install",
            Self::Check(_) => "check",
            Self::Test(_) => "test",
            Self::Restore(_) => "restore",
            Self::Hold(_) => "hold",
            Self::Watch(_) => "watch",
        }
    }
}

/// Who carries commands out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Worker {
    /// Beside each HAProxy.
    LbController,
    /// On each machine.
    Agent,
    /// Shared by all.
    HealthChecker,
}
