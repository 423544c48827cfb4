//! Every wait has a deadline.

use events::{
    ApprovalExpired, BalancerName, Event, GateKind, Outcome, StepTimedOut, Timestamp, Work,
};

use crate::gate;
use crate::rules::Rule;
use crate::state::{Outstanding, Phase, Request, State};

/// Commands whose answer is overdue.
pub(super) fn commands(state: &State, at: Timestamp) -> Vec<Event> {
    let overdue = |outstanding: &&Outstanding| due(state, outstanding).is_some_and(|due| due <= at);
    state
        .servers
        .values()
        .filter_map(|server| server.outstanding.as_ref())
        .filter(overdue)
        .map(|outstanding| {
            StepTimedOut {
                command: outstanding.command.id.clone(),
                started: outstanding.started,
                silent: silent(outstanding),
            }
            .into()
        })
        .collect()
}

/// When the answer to a command is overdue: a margin after the worker's own deadline, since
/// clocks differ and answers travel. None for a `Hold`, which has no end of its own.
pub(crate) fn due(state: &State, outstanding: &Outstanding) -> Option<Timestamp> {
    let command = &outstanding.command;
    if matches!(command.work, Work::Hold(_)) {
        return None;
    }
    let waits_to_start = !outstanding.started && command.start_within_ms > 0;
    let allowed_ms = if waits_to_start {
        command.start_within_ms
    } else {
        command.timeout_ms
    };
    let margin_ms = if state.rules.hold(Rule::MarginIsWaited) {
        margin_ms(state)
    } else {
        0
    };
    Some(outstanding.since.plus_ms(allowed_ms).plus_ms(margin_ms))
}

fn margin_ms(state: &State) -> u64 {
    state
        .rollout
        .as_ref()
        .map_or(crate::plan::MARGIN_MS, |rollout| {
            rollout.plan.timeouts_ms.margin
        })
}

fn silent(outstanding: &Outstanding) -> Vec<BalancerName> {
    let pools = matches!(outstanding.command.work, Work::Drain(_) | Work::Restore(_));
    let balancers = outstanding.command.balancers.iter().filter(|_| pools);
    balancers
        .map(|balancer| balancer.name.clone())
        .filter(|name| !outstanding.answered.contains(name))
        .collect()
}

/// Gates whose time is over end the rollout.
pub(super) fn gates(state: &State, at: Timestamp) -> Vec<Event> {
    let Some(rollout) = state
        .rollout
        .as_ref()
        .filter(|rollout| rollout.phase == Phase::Gates)
    else {
        return Vec::new();
    };
    let mut gates = rollout.plan.gates.iter();
    let Some(gate) = gates.find(|gate| gate::until(rollout, gate) <= at) else {
        return Vec::new();
    };
    let reason = match &gate.kind {
        GateKind::Approval if gate::has_votes(rollout) => {
            format!("the votes on gate {} lapsed before it could begin", gate.id)
        }
        GateKind::Approval => format!("gate {} had not enough votes in time", gate.id),
        GateKind::Promotion | GateKind::Window | GateKind::Freeze | GateKind::Other(_) => {
            format!("gate {} did not open in time", gate.id)
        }
    };
    vec![
        ApprovalExpired {
            rollout: rollout.id(),
            gate: gate.id.clone(),
        }
        .into(),
        super::finish::finished(state, rollout, Outcome::Expired, reason, at).into(),
    ]
}

/// Requests whose place in the queue is over.
pub(super) fn queue(state: &State, at: Timestamp) -> Vec<Event> {
    if state.rollout.is_none() {
        return Vec::new();
    }
    let successor = state.rollout.as_ref().and_then(|r| r.successor.as_ref());
    let takes_over = |request: &Request| {
        successor.is_some_and(|successor| successor.rollout == request.asked.rollout)
    };
    let late = state
        .queue
        .iter()
        .filter(|request| request.until <= at && !takes_over(request));
    late.map(|request| {
        let reason = "its turn did not come in time".to_owned();
        super::finish::unbegun(request.asked.rollout, Outcome::Expired, reason).into()
    })
    .collect()
}
