//! Gates besides votes: they open by themselves, or a permitted person overrides them.

use events::{
    Event, GateAwaited, GateOverridden, GatesPassed, OverrideGate, OverrideRefused, Timestamp,
    VoteRefusedBecause,
};

use super::Heard;
use super::Reply;
use crate::gate::{self, FREEZE, PROMOTION, WINDOW};
use crate::state::{Phase, Rollout, State};

/// A rollout whose gates are all open at this moment begins; one that only the time keeps says
/// until when.
pub(super) fn pass(state: &State, at: Timestamp) -> Vec<Event> {
    let waits = state
        .rollout
        .as_deref()
        .filter(|rollout| rollout.phase == Phase::Gates && gate::only_time_keeps(state, rollout));
    let Some(rollout) = waits else {
        return Vec::new();
    };
    let begins = gate::begins(state, rollout, at);
    match begins {
        Some(now) if now == at && gate::votes_lapsed(rollout, at) => Vec::new(),
        Some(now) if now == at => vec![passed(state, rollout, at).into()],
        Some(_) | None => awaited(rollout, begins),
    }
}

fn passed(state: &State, rollout: &Rollout, at: Timestamp) -> GatesPassed {
    let wanted = rollout.plan.gates.iter().find_map(|gate| {
        let wanted = gate.promotion.as_ref()?;
        gate::promoted(state, rollout, wanted, at)
    });
    let windows = gate::windows(rollout).unwrap_or_default().iter();
    GatesPassed {
        rollout: rollout.id(),
        promoted_by: wanted.map(|promoted| promoted.rollout),
        window: windows
            .copied()
            .find(|window| window.opens_at <= at && at < window.closes_at),
        overridden: rollout.gated.overridden.iter().cloned().collect(),
    }
}

/// A batch that could be opened, but for the hour, says when it will be.
pub(super) fn await_batch(state: &State, at: Timestamp) -> Vec<Event> {
    let waits = state
        .rollout
        .as_deref()
        .filter(|rollout| rollout.phase == Phase::Forward && gate::only_time_keeps(state, rollout));
    let Some(rollout) = waits else {
        return Vec::new();
    };
    match gate::opens(state, rollout, at) {
        Some(opens) if opens > at => awaited(rollout, Some(opens)),
        Some(_) | None => Vec::new(),
    }
}

fn awaited(rollout: &Rollout, opens_at: Option<Timestamp>) -> Vec<Event> {
    if rollout.gated.waits_until == opens_at {
        return Vec::new();
    }
    vec![
        GateAwaited {
            rollout: rollout.id(),
            opens_at,
        }
        .into(),
    ]
}

pub(super) fn override_gate(state: &State, heard: &Heard, asked: &OverrideGate) -> Reply {
    if state.heard.contains_key(&heard.id) {
        return Reply::default();
    }
    let rollout = state
        .rollout
        .as_deref()
        .filter(|rollout| rollout.id() == asked.rollout);
    let Some(rollout) = rollout else {
        return refuse(asked, VoteRefusedBecause::NotWaiting).into();
    };
    if gate::is_overridden(rollout, &asked.gate) {
        return Reply::default();
    }
    match objection(rollout, asked) {
        Some(why) => refuse(asked, why).into(),
        None => Event::from(GateOverridden {
            rollout: asked.rollout,
            gate: asked.gate.clone(),
            digest: asked.digest,
            person: asked.person.clone(),
            roles: asked.roles.clone(),
            policy_sha256: asked.policy_sha256,
            via: asked.via.clone(),
            reason: asked.reason.clone(),
            ticket: asked.ticket.clone(),
        })
        .into(),
    }
}

/// Unlike a vote, it may be of the very person who asked for the rollout: at three in the morning
/// there is nobody else. It never stands in for a vote.
fn objection(rollout: &Rollout, asked: &OverrideGate) -> Option<VoteRefusedBecause> {
    let planned = || rollout.plan.gates.iter().any(|gate| gate.id == asked.gate);
    let known = match asked.gate.as_str() {
        FREEZE => true,
        WINDOW | PROMOTION => planned(),
        _ => false,
    };
    let over = match rollout.phase {
        Phase::Gates => false,
        Phase::Forward => asked.gate == PROMOTION,
        Phase::Back => true,
    };
    let may = &rollout.entry.gates.overrides;
    if !known {
        Some(VoteRefusedBecause::NoSuchGate)
    } else if over {
        Some(VoteRefusedBecause::NotWaiting)
    } else if asked.digest != rollout.digest {
        Some(VoteRefusedBecause::OtherPlan)
    } else if !asked.roles.iter().any(|role| may.contains(role)) {
        Some(VoteRefusedBecause::NotPermitted)
    } else {
        None
    }
}

fn refuse(asked: &OverrideGate, why: VoteRefusedBecause) -> Event {
    OverrideRefused {
        rollout: asked.rollout,
        gate: asked.gate.clone(),
        person: asked.person.clone(),
        why,
    }
    .into()
}
