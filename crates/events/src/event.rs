//! Events: what is so, decided by the orchestrator, in the log for ever.

mod agent;
mod catalogue;
mod course;
mod end;
mod gate;
mod owner;
mod plan;
mod request;
mod sealed;
mod server;
mod step;

use crate::answer::Answer;
use crate::id::{CommandId, RolloutRef};
use crate::payload::{Unreadable, payloads};

pub use agent::*;
pub use catalogue::*;
pub use course::*;
pub use end::*;
pub use gate::*;
pub use owner::*;
pub use plan::*;
pub use request::*;
pub use sealed::*;
pub use server::*;
pub use step::*;

payloads! {
    /// What the orchestrator decides.
    Decision {
        /// A new owner took the partition; its epoch is `base` plus this record's offset.
        OwnershipTaken = "poolshift.ownership-taken" v 1,
        /// A target's first event under a new owner: the clocks of what is outstanding restart.
        OwnerChanged = "poolshift.owner-changed" v 1,
        /// A catalogue entry counts from now on.
        ServiceDefined = "poolshift.service-defined" v 1,
        /// What runs on a server, by a person's word.
        Adopted = "poolshift.adopted" v 1,
        /// An agent's key counts.
        AgentEnrolled = "poolshift.agent-enrolled" v 1,
        /// An agent's key counts no more.
        AgentRevoked = "poolshift.agent-revoked" v 1,
        /// A rollout was asked for.
        RolloutRequested = "poolshift.rollout-requested" v 1,
        /// It will not be done.
        RolloutRejected = "poolshift.rollout-rejected" v 1,
        /// It waits for another one.
        Queued = "poolshift.queued" v 1,
        /// It waited, and a newer one took its place.
        Superseded = "poolshift.superseded" v 1,
        /// What will be done.
        RolloutPlanned = "poolshift.rollout-planned" v 1,
        /// A person said yes to exactly this plan.
        ApprovalGiven = "poolshift.approval-given" v 1,
        /// A vote does not count.
        ApprovalRefused = "poolshift.approval-refused" v 1,
        /// A gate's time is over.
        ApprovalExpired = "poolshift.approval-expired" v 1,
        /// Every gate is open: the rollout begins.
        GatesPassed = "poolshift.gates-passed" v 1,
        /// A rollout could go on, but for windows and freezes.
        GateAwaited = "poolshift.gate-awaited" v 1,
        /// A permitted person let a rollout pass a gate.
        GateOverridden = "poolshift.gate-overridden" v 1,
        /// A gate stays: who wanted it overridden may not.
        OverrideRefused = "poolshift.override-refused" v 1,
        /// Nothing begins on this target for a while.
        FreezeSet = "poolshift.freeze-set" v 1,
        /// A freeze counts no more.
        FreezeLifted = "poolshift.freeze-lifted" v 1,
        /// A release succeeded on another target of the same service.
        PromotionSeen = "poolshift.promotion-seen" v 1,
        /// Servers are taken on together.
        BatchStarted = "poolshift.batch-started" v 1,
        /// A command is outstanding; the intent before the act.
        CommandIssued = "poolshift.command-issued" v 1,
        /// No answer in time.
        StepTimedOut = "poolshift.step-timed-out" v 1,
        /// No new batch is opened.
        Paused = "poolshift.paused" v 1,
        /// Batches are opened again.
        Resumed = "poolshift.resumed" v 1,
        /// A person wants it stopped and taken back.
        AbortRequested = "poolshift.abort-requested" v 1,
        /// A person wants what failed tried again.
        RetryRequested = "poolshift.retry-requested" v 1,
        /// A person wants a rollout that waits to take a halted one's servers over.
        TakeOverRequested = "poolshift.take-over-requested" v 1,
        /// Something failed; the rollout waits for a person.
        Halted = "poolshift.halted" v 1,
        /// The rollout goes back.
        RollbackStarted = "poolshift.rollback-started" v 1,
        /// A server takes no further part.
        ServerExcluded = "poolshift.server-excluded" v 1,
        /// A server that was added after the plan was made takes part.
        ServerJoined = "poolshift.server-joined" v 1,
        /// A stuck or left server is a person's from now on.
        ServerReleased = "poolshift.server-released" v 1,
        /// The rollout is over.
        RolloutFinished = "poolshift.rollout-finished" v 1,
    }
}

impl Decision {
    /// The rollout it belongs to, unless it belongs to none.
    #[must_use]
    pub fn rollout(&self) -> Option<RolloutRef> {
        let rollout = match self {
            Self::CommandIssued(e) => return Some(e.command.rollout),
            Self::StepTimedOut(e) => return Some(e.command.rollout),
            Self::RolloutRequested(e) => e.rollout,
            Self::RolloutRejected(e) => e.rollout,
            Self::Queued(e) => e.rollout,
            Self::Superseded(e) => e.rollout,
            Self::RolloutPlanned(e) => e.rollout,
            Self::ApprovalGiven(e) => e.rollout,
            Self::ApprovalRefused(e) => e.rollout,
            Self::ApprovalExpired(e) => e.rollout,
            Self::GatesPassed(e) => e.rollout,
            Self::GateAwaited(e) => e.rollout,
            Self::GateOverridden(e) => e.rollout,
            Self::OverrideRefused(e) => e.rollout,
            Self::BatchStarted(e) => e.rollout,
            Self::Paused(e) => e.rollout,
            Self::Resumed(e) => e.rollout,
            Self::AbortRequested(e) => e.rollout,
            Self::RetryRequested(e) => e.rollout,
            Self::TakeOverRequested(e) => e.rollout,
            Self::Halted(e) => e.rollout,
            Self::RollbackStarted(e) => e.rollout,
            Self::ServerExcluded(e) => e.rollout,
            Self::ServerJoined(e) => e.rollout,
            Self::RolloutFinished(e) => e.rollout,
            Self::OwnershipTaken(_)
            | Self::OwnerChanged(_)
            | Self::ServiceDefined(_)
            | Self::Adopted(_)
            | Self::AgentEnrolled(_)
            | Self::AgentRevoked(_)
            | Self::FreezeSet(_)
            | Self::FreezeLifted(_)
            | Self::PromotionSeen(_)
            | Self::ServerReleased(_) => return None,
        };
        Some(RolloutRef::Rollout(rollout))
    }
}

/// What stands in the stream of events.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(
    clippy::large_enum_variant,
    reason = "an event is decided, folded and written, and none is kept"
)]
pub enum Event {
    /// The orchestrator decided.
    Decision(Decision),
    /// A worker answered, and the answer counts.
    Answer(Answer),
}

impl Event {
    /// The rollout it belongs to, unless it belongs to none.
    #[must_use]
    pub fn rollout(&self) -> Option<RolloutRef> {
        match self {
            Self::Decision(decision) => decision.rollout(),
            Self::Answer(answer) => answer.command().map(|command| command.rollout),
        }
    }

    /// The command it is about, unless it is about none.
    #[must_use]
    pub fn command(&self) -> Option<&CommandId> {
        match self {
            Self::Decision(Decision::CommandIssued(issued)) => Some(&issued.command.id),
            Self::Decision(Decision::StepTimedOut(timed_out)) => Some(&timed_out.command),
            Self::Decision(_) => None,
            Self::Answer(answer) => answer.command(),
        }
    }

    /// The wire name.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Decision(decision) => decision.kind(),
            Self::Answer(answer) => answer.kind(),
        }
    }

    /// The version of the wire type.
    #[must_use]
    pub const fn version(&self) -> u16 {
        match self {
            Self::Decision(decision) => decision.version(),
            Self::Answer(answer) => answer.version(),
        }
    }

    /// The body as it is stored.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        match self {
            Self::Decision(decision) => decision.to_bytes(),
            Self::Answer(answer) => answer.to_bytes(),
        }
    }

    /// Reads a stored body.
    ///
    /// # Errors
    /// [`Unreadable`] when the type is not known here or the body does not fit it: the target
    /// stops, since passing over an event would fork the truth.
    pub fn from_bytes(kind: &str, version: u16, bytes: &[u8]) -> Result<Self, Unreadable> {
        match Answer::from_bytes(kind, version, bytes) {
            Err(Unreadable::Newer { .. }) => {
                Decision::from_bytes(kind, version, bytes).map(Self::Decision)
            }
            other => other.map(Self::Answer),
        }
    }
}

impl<T: Into<Decision>> From<T> for Event {
    fn from(decision: T) -> Self {
        Self::Decision(decision.into())
    }
}

impl From<Answer> for Event {
    fn from(answer: Answer) -> Self {
        Self::Answer(answer)
    }
}
