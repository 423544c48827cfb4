//! What follows from the state as it is: a list of steps in a fixed order. Each is skipped when
//! it has nothing to do; the first that has something ends the round, and the next round begins
//! anew with what became of it.

use events::{
    Event, Halted, RejectedBecause, RollbackStarted, RolloutPlanned, RolloutRejected, Timestamp,
};

use super::{batch, finish, fleet, gate, timeout};
use crate::catalogue::OnFailure;
use crate::issue;
use crate::plan::{PlanError, plan};
use crate::rules::Rule;
use crate::safety;
use crate::state::{Phase, Rollout, Stage, State};

pub(super) fn next(state: &State, at: Timestamp) -> Vec<Event> {
    let steps: [fn(&State, Timestamp) -> Vec<Event>; 14] = [
        timeout::commands,
        timeout::queue,
        start,
        gate::pass,
        timeout::gates,
        turn_back,
        halt,
        fleet::exclude_gone,
        fleet::join_late,
        finish::finish,
        issue::commands,
        batch::open,
        gate::await_batch,
        halt_when_blocked,
    ];
    steps
        .iter()
        .map(|step| step(state, at))
        .find(|events| !events.is_empty())
        .unwrap_or_default()
}

/// The first request that waits is planned when nothing runs.
fn start(state: &State, at: Timestamp) -> Vec<Event> {
    if state.rollout.is_some() && state.rules.hold(Rule::OneRollout) {
        return Vec::new();
    }
    let Some(request) = state.queue.first() else {
        return Vec::new();
    };
    let rollout = request.asked.rollout;
    match plan(state, &request.asked, at) {
        Ok(plan) => {
            let digest = plan.digest();
            vec![
                RolloutPlanned {
                    rollout,
                    digest,
                    plan,
                }
                .into(),
            ]
        }
        Err(error) => {
            let reason = match &error {
                PlanError::NoWayBack { .. } => RejectedBecause::NoWayBack,
                PlanError::NoSuites => RejectedBecause::NoSuites,
                PlanError::NoEntry
                | PlanError::NoServers
                | PlanError::TooLarge { .. }
                | PlanError::NoWindow(_)
                | PlanError::Unwritable(_) => RejectedBecause::NotPlannable,
            };
            vec![
                RolloutRejected {
                    rollout,
                    reason,
                    detail: error.to_string(),
                }
                .into(),
            ]
        }
    }
}

/// An abort, a failure whose policy says so, or a person who did not come in time: it goes back.
fn turn_back(state: &State, at: Timestamp) -> Vec<Event> {
    let Some(rollout) = going_forward(state) else {
        return Vec::new();
    };
    // Somebody came, and said what is to become of it.
    let is_taken_over = rollout.successor.is_some();
    let late = |halt: &&crate::state::Halt| {
        halt.until <= at && !is_taken_over && state.rules.hold(Rule::PersonWaitEnds)
    };
    let reason = if let Some(reason) = &rollout.aborted {
        format!("stopped by a person: {reason}")
    } else if let Some(halt) = rollout.halted.iter().chain(&rollout.paused).find(late) {
        format!("nobody came in time: {}", halt.reason)
    } else if rollout.entry.rollout.on_failure == OnFailure::RollBack {
        match failure(rollout) {
            Some(reason) => reason,
            None => return Vec::new(),
        }
    } else {
        return Vec::new();
    };
    let servers = rollout
        .members
        .iter()
        .filter(|(_, member)| member.touched && member.previous.is_some())
        .filter(|(_, member)| member.stage != Stage::Excluded)
        .map(|(name, _)| name.clone())
        .collect();
    vec![
        RollbackStarted {
            rollout: rollout.id(),
            reason,
            servers,
        }
        .into(),
    ]
}

fn halt(state: &State, at: Timestamp) -> Vec<Event> {
    let Some(rollout) = going_forward(state).filter(|rollout| rollout.halted.is_none()) else {
        return Vec::new();
    };
    let Some(reason) = failure(rollout).filter(|_| state.rules.hold(Rule::FailureStops)) else {
        return Vec::new();
    };
    vec![halted(rollout, reason, at)]
}

/// A rollout that can open nothing and has nothing on its way would wait for ever: it is halted.
fn halt_when_blocked(state: &State, at: Timestamp) -> Vec<Event> {
    let Some(rollout) = going_forward(state) else {
        return Vec::new();
    };
    let idle = rollout.halted.is_none() && rollout.paused.is_none();
    let moving = |member: &crate::state::Member| {
        member.stage.is_moving() || matches!(member.stage, Stage::At(..))
    };
    if rollout.phase == Phase::Gates || !idle || rollout.members.values().any(moving) {
        return Vec::new();
    }
    if state.epoch_seen.is_some() {
        return Vec::new();
    }
    let blocked = safety::blocked(state, rollout);
    let Some(blocked) = blocked.or_else(|| crate::gate::exhausted(state, rollout, at)) else {
        return Vec::new();
    };
    vec![halted(rollout, blocked, at)]
}

fn halted(rollout: &Rollout, reason: String, at: Timestamp) -> Event {
    let until = at.plus_ms(rollout.plan.timeouts_ms.person_wait);
    Halted {
        rollout: rollout.id(),
        reason,
        until,
    }
    .into()
}

fn going_forward(state: &State) -> Option<&Rollout> {
    state
        .rollout
        .as_deref()
        .filter(|rollout| rollout.phase != Phase::Back)
}

fn failure(rollout: &Rollout) -> Option<String> {
    rollout
        .members
        .iter()
        .find(|(_, member)| member.stage == Stage::Failed)
        .map(|(name, member)| format!("{name}: {}", member.failure.as_deref().unwrap_or("failed")))
}
