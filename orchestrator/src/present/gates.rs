//! Gates and freezes as people see them.

use events::{Gate, GateKind};
use rollout::{Phase, Rollout, State, gate_waiting};
use view::{FreezeView, GateView, RolloutStatus};

/// The gates of a rollout, as they stand at the time of the last event.
pub(super) fn gates(state: &State, rollout: &Rollout) -> Vec<GateView> {
    let gates = rollout.plan.gates.iter();
    gates.map(|gate| shown(state, rollout, gate)).collect()
}

fn shown(state: &State, rollout: &Rollout, gate: &Gate) -> GateView {
    let begun = rollout.phase != Phase::Gates;
    let wait = gate_waiting(state, rollout, gate, state.at).filter(|_| !begun);
    GateView {
        id: gate.id.clone(),
        kind: gate.kind.to_string(),
        waits_for: wait.map(|wait| wait.what),
        overridden: rollout.gated.overridden.contains(&gate.id),
        count: gate.count,
        from: gate.from.clone(),
        votes: rollout
            .votes
            .iter()
            .filter(|vote| vote.gate == gate.id)
            .map(|vote| vote.person.clone())
            .collect(),
        until: gate.until.max(rollout.gated.grace_until),
    }
}

/// What a rollout waits for that has not begun.
pub(super) fn waits_for(state: &State, rollout: &Rollout) -> RolloutStatus {
    let lacks_votes = |gate: &Gate| {
        gate.kind == GateKind::Approval && gate_waiting(state, rollout, gate, state.at).is_some()
    };
    if rollout.plan.gates.iter().any(lacks_votes) {
        RolloutStatus::WaitingApproval
    } else {
        RolloutStatus::WaitingGate
    }
}

/// Freezes that are not over.
pub(super) fn freezes(state: &State) -> Vec<FreezeView> {
    let freezes = state.freezes.iter();
    freezes
        .filter(|(_, freeze)| state.at < freeze.until)
        .map(|(id, freeze)| FreezeView {
            freeze: *id,
            from: freeze.from,
            until: freeze.until,
            reason: freeze.reason.clone(),
        })
        .collect()
}
