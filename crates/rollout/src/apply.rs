//! The fold: what an event makes of the state. Never fails, never decides.

mod answer;
mod begin;
mod end;
mod gate;
mod member;
mod own;
mod service;
mod watch;

use events::{Cause, Decision, Event, Timestamp};

use crate::state::State;

/// When an event was decided, and why: the only time and the only cause that the fold may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stamp {
    /// The owner's time.
    pub at: Timestamp,
    /// What led to it.
    pub cause: Cause,
}

/// How long requests and people's words are remembered: longer than anything may be delivered
/// again, since the stream of reports is kept as long.
pub(crate) const REMEMBERED_MS: u64 = 30 * 24 * 3_600_000;

/// Folds one event.
pub fn apply(state: &mut State, event: &Event, stamp: Stamp) {
    state.n += 1;
    state.at = state.at.max(stamp.at);
    match event {
        Event::Answer(answer) => answer::answer(state, answer, stamp.at),
        Event::Decision(decision) => decided(state, decision, stamp),
    }
}

fn decided(state: &mut State, decision: &Decision, stamp: Stamp) {
    if is_a_persons_word(decision) {
        remember(state, stamp);
    }
    match decision {
        Decision::OwnerChanged(e) => service::owner_changed(state, e.epoch, stamp.at),
        Decision::ServiceDefined(e) => service::defined(state, e),
        Decision::Adopted(e) => service::adopted(state, e),
        Decision::ServerReleased(e) => service::released(state, e),
        Decision::RolloutRequested(e) => begin::requested(state, e, stamp.at),
        Decision::RolloutRejected(e) => begin::leaves_queue(state, e.rollout),
        Decision::Queued(e) => begin::queued(state, e),
        Decision::Superseded(e) => begin::leaves_queue(state, e.rollout),
        Decision::RolloutPlanned(e) => begin::planned(state, e, stamp.at),
        Decision::ApprovalGiven(e) => begin::approved(state, e, stamp.at),
        Decision::GatesPassed(_) => begin::gates_passed(state),
        Decision::GateAwaited(e) => gate::awaited(state, e),
        Decision::GateOverridden(e) => gate::overridden(state, e),
        Decision::FreezeSet(e) => gate::freeze_set(state, e, stamp.at),
        Decision::FreezeLifted(e) => drop(state.freezes.remove(&e.freeze)),
        Decision::PromotionSeen(e) => gate::promoted(state, e, stamp.at),
        Decision::TakeOverRequested(e) => gate::taken_over(state, e),
        Decision::BatchStarted(e) => begin::batch(state, e, stamp.at),
        Decision::CommandIssued(e) => begin::issued(state, &e.command),
        Decision::StepTimedOut(e) => answer::timed_out(state, e),
        Decision::Paused(e) => end::paused(state, e),
        Decision::Resumed(_) => end::resumed(state),
        Decision::AbortRequested(e) => end::aborted(state, e),
        Decision::RetryRequested(_) => end::retried(state),
        Decision::Halted(e) => end::halted(state, e),
        Decision::RollbackStarted(e) => end::turned_back(state, e),
        Decision::ServerExcluded(e) => end::excluded(state, e),
        Decision::ServerJoined(e) => end::joined(state, e),
        Decision::RolloutFinished(e) => end::finished(state, e),
        Decision::OwnershipTaken(_)
        | Decision::AgentEnrolled(_)
        | Decision::AgentRevoked(_)
        | Decision::ApprovalExpired(_)
        | Decision::ApprovalRefused(_)
        | Decision::OverrideRefused(_) => {}
    }
}

const fn is_a_persons_word(decision: &Decision) -> bool {
    matches!(
        decision,
        Decision::ServiceDefined(_)
            | Decision::Adopted(_)
            | Decision::ServerReleased(_)
            | Decision::ApprovalGiven(_)
            | Decision::GateOverridden(_)
            | Decision::FreezeSet(_)
            | Decision::FreezeLifted(_)
            | Decision::TakeOverRequested(_)
            | Decision::Paused(_)
            | Decision::Resumed(_)
            | Decision::AbortRequested(_)
            | Decision::RetryRequested(_)
            | Decision::ServerExcluded(_)
            | Decision::ApprovalRefused(_)
            | Decision::OverrideRefused(_)
    )
}

/// A person's word counts once.
fn remember(state: &mut State, stamp: Stamp) {
    if let Cause::Report(id) = stamp.cause {
        state
            .heard
            .retain(|_, at| stamp.at.ms_since(*at) < REMEMBERED_MS);
        state.heard.insert(id, stamp.at);
    }
}
