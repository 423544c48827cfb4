//! What workers answer. A report and the event it leads to have the same name and body.

mod check;
mod drain;
mod failure;
mod fetch;
mod hold;
mod install;
mod machine;
mod output;
mod own;
mod pool;
mod restore;
mod start;
mod suite;
mod watch;

use crate::command::Worker;
use crate::id::CommandId;
use crate::payload::payloads;

pub use check::*;
pub use drain::*;
pub use failure::*;
pub use fetch::*;
pub use hold::*;
pub use install::*;
pub use machine::*;
pub use output::*;
pub use own::*;
pub use pool::*;
pub use restore::*;
pub use start::*;
pub use suite::*;
pub use watch::*;

payloads! {
    /// An answer of a worker, or something that it saw.
    Answer {
        /// An agent has begun; `timeout_ms` counts from here.
        CommandStarted = "poolshift.command-started" v 1,
        /// An agent has other work to end first.
        CommandQueued = "poolshift.command-queued" v 1,
        /// A worker does not obey, and says why.
        CommandRefused = "poolshift.command-refused" v 1,
        /// The artifact is on the machine, verified.
        Fetched = "poolshift.fetched" v 1,
        /// The artifact could not be fetched.
        FetchFailed = "poolshift.fetch-failed" v 1,
        /// One balancer: the server is out, nothing runs there.
        Drained = "poolshift.drained" v 1,
        /// One balancer: taking it out would break the floor.
        DrainRefused = "poolshift.drain-refused" v 1,
        /// One balancer: it could not be taken out by the deadline.
        DrainFailed = "poolshift.drain-failed" v 1,
        /// One balancer: the server is kept out.
        Held = "poolshift.held" v 1,
        /// The service's own command took it out of work, or put it back.
        OwnDone = "poolshift.own-done" v 1,
        /// It did not.
        OwnFailed = "poolshift.own-failed" v 1,
        /// The version runs, proven.
        Installed = "poolshift.installed" v 1,
        /// The version does not run.
        InstallFailed = "poolshift.install-failed" v 1,
        /// Enough good rounds in a row, answered by this server in this version.
        Healthy = "poolshift.healthy" v 1,
        /// Not healthy by the deadline.
        Unhealthy = "poolshift.unhealthy" v 1,
        /// All suites passed.
        TestsPassed = "poolshift.tests-passed" v 1,
        /// A suite failed, or proved nothing.
        TestsFailed = "poolshift.tests-failed" v 1,
        /// One balancer: the server is in the online pool.
        Restored = "poolshift.restored" v 1,
        /// One balancer: it could not be put back by the deadline.
        RestoreFailed = "poolshift.restore-failed" v 1,
        /// How a watch stands.
        Watching = "poolshift.watching" v 1,
        /// The server does no worse than it must.
        Steady = "poolshift.steady" v 1,
        /// The server does worse than what it replaces.
        Regressed = "poolshift.regressed" v 1,
        /// A watch could not see enough to have a verdict.
        WatchFailed = "poolshift.watch-failed" v 1,
        /// One balancer: a server is out by our own mark with nothing outstanding.
        Strayed = "poolshift.strayed" v 1,
        /// One balancer: customers reached a server that is kept out.
        HoldBroken = "poolshift.hold-broken" v 1,
        /// Something is not as we want it, and is a person's to judge.
        DriftSeen = "poolshift.drift-seen" v 1,
        /// One balancer: which servers are UP in which pool, on change.
        PoolSeen = "poolshift.pool-seen" v 1,
        /// What runs on a machine, on change.
        AgentSeen = "poolshift.agent-seen" v 1,
    }
}

impl Answer {
    /// The command that this answers, unless it is something seen.
    #[must_use]
    pub const fn command(&self) -> Option<&CommandId> {
        match self {
            Self::CommandStarted(a) => Some(&a.command),
            Self::CommandQueued(a) => Some(&a.command),
            Self::CommandRefused(a) => Some(&a.command),
            Self::Fetched(a) => Some(&a.command),
            Self::FetchFailed(a) => Some(&a.command),
            Self::Drained(a) => Some(&a.command),
            Self::DrainRefused(a) => Some(&a.command),
            Self::DrainFailed(a) => Some(&a.command),
            Self::Held(a) => Some(&a.command),
            Self::OwnDone(a) => Some(&a.command),
            Self::OwnFailed(a) => Some(&a.command),
            Self::Installed(a) => Some(&a.command),
            Self::InstallFailed(a) => Some(&a.command),
            Self::Healthy(a) => Some(&a.command),
            Self::Unhealthy(a) => Some(&a.command),
            Self::TestsPassed(a) => Some(&a.command),
            Self::TestsFailed(a) => Some(&a.command),
            Self::Restored(a) => Some(&a.command),
            Self::RestoreFailed(a) => Some(&a.command),
            Self::Watching(a) => Some(&a.command),
            Self::Steady(a) => Some(&a.command),
            Self::Regressed(a) => Some(&a.command),
            Self::WatchFailed(a) => Some(&a.command),
            Self::Strayed(_)
            | Self::HoldBroken(_)
            | Self::DriftSeen(_)
            | Self::PoolSeen(_)
            | Self::AgentSeen(_) => None,
        }
    }

    /// Whether this kind of worker may say so. The doors ask, so that an agent whose machine is in
    /// other hands cannot speak for a load balancer.
    #[must_use]
    pub const fn may_come_from(&self, worker: Worker) -> bool {
        match self {
            Self::CommandRefused(_) => true,
            Self::CommandStarted(_)
            | Self::CommandQueued(_)
            | Self::Fetched(_)
            | Self::FetchFailed(_)
            | Self::OwnDone(_)
            | Self::OwnFailed(_)
            | Self::Installed(_)
            | Self::InstallFailed(_)
            | Self::TestsPassed(_)
            | Self::TestsFailed(_)
            | Self::AgentSeen(_) => matches!(worker, Worker::Agent),
            Self::Healthy(_)
            | Self::Unhealthy(_)
            | Self::Watching(_)
            | Self::Steady(_)
            | Self::Regressed(_)
            | Self::WatchFailed(_) => matches!(worker, Worker::HealthChecker),
            Self::Drained(_)
            | Self::DrainRefused(_)
            | Self::DrainFailed(_)
            | Self::Held(_)
            | Self::Restored(_)
            | Self::RestoreFailed(_)
            | Self::Strayed(_)
            | Self::HoldBroken(_)
            | Self::PoolSeen(_) => matches!(worker, Worker::LbController),
            Self::DriftSeen(_) => matches!(worker, Worker::LbController | Worker::Agent),
        }
    }
}
