//! What people say of rollouts that wait for their turn.

use events::{Event, Outcome, RolloutId, Steer, SupersedeHalted, TakeOverRequested, Wish};

use super::{Heard, Reply, finish};
use crate::rules::Rule;
use crate::state::{Phase, State};

/// A rollout that waits can be withdrawn: nothing of it was begun. Nothing else can be done with
/// it.
pub(super) fn steer(state: &State, steer: &Steer) -> Reply {
    if !waits(state, steer.rollout) {
        return Reply::refuse(format!(
            "rollout {} does not run on {}",
            steer.rollout, state.target
        ));
    }
    if steer.wish != Wish::Abort {
        return Reply::refuse(format!(
            "rollout {} waits for its turn; it can only be aborted, which withdraws it",
            steer.rollout
        ));
    }
    let reason = format!("withdrawn before it began: {}", steer.reason);
    Event::from(finish::unbegun(steer.rollout, Outcome::Aborted, reason)).into()
}

/// The halted rollout ends as it is, and the one that waits takes its servers over.
pub(super) fn supersede_halted(state: &State, heard: &Heard, asked: &SupersedeHalted) -> Reply {
    if state.heard.contains_key(&heard.id) && state.rules.hold(Rule::WordCountsOnce) {
        return Reply::default();
    }
    let rollout = state
        .rollout
        .as_ref()
        .filter(|rollout| rollout.id() == asked.rollout);
    let Some(rollout) = rollout else {
        return Reply::refuse(format!(
            "rollout {} does not run on {}",
            asked.rollout, state.target
        ));
    };
    let successor = rollout.successor.as_ref();
    if successor.is_some_and(|successor| successor.rollout == asked.successor) {
        return Reply::default();
    }
    if rollout.phase == Phase::Back {
        return Reply::refuse("it is going back; the one that waits begins when that is over");
    }
    if rollout.halted.is_none() {
        return Reply::refuse("it is not halted; only a halted rollout can be taken over");
    }
    if !waits(state, asked.successor) {
        return Reply::refuse(format!(
            "rollout {} does not wait on {}",
            asked.successor, state.target
        ));
    }
    Event::from(TakeOverRequested {
        rollout: asked.rollout,
        successor: asked.successor,
        by: heard.actor.clone(),
        reason: asked.reason.clone(),
    })
    .into()
}

fn waits(state: &State, rollout: RolloutId) -> bool {
    let mut queue = state.queue.iter();
    queue.any(|request| request.asked.rollout == rollout)
}
