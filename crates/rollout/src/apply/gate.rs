//! What gates, freezes and successes elsewhere make of the state.

use events::{FreezeSet, GateAwaited, GateOverridden, PromotionSeen, TakeOverRequested, Timestamp};

use crate::catalogue::defaults::PROMOTION_WITHIN_MOST_MS;
use crate::state::{Freeze, Promoted, State, Successor};

pub(super) fn awaited(state: &mut State, event: &GateAwaited) {
    if let Some(rollout) = &mut state.rollout {
        rollout.gated.waits_until = event.opens_at;
    }
}

pub(super) fn overridden(state: &mut State, event: &GateOverridden) {
    if let Some(rollout) = &mut state.rollout {
        rollout.gated.overridden.insert(event.gate.clone());
    }
}

pub(super) fn freeze_set(state: &mut State, event: &FreezeSet, at: Timestamp) {
    state.freezes.retain(|_, freeze| at < freeze.until);
    state.freezes.insert(
        event.freeze,
        Freeze {
            from: event.from,
            until: event.until,
            reason: event.reason.clone(),
        },
    );
}

/// Of a release the last success is kept: an earlier one opens no gate that it does not.
pub(super) fn promoted(state: &mut State, event: &PromotionSeen, at: Timestamp) {
    state.promoted.retain(|known| {
        let same = known.from == event.from && known.release == event.release;
        !same && at.ms_since(known.succeeded_at) <= PROMOTION_WITHIN_MOST_MS
    });
    state.promoted.push(Promoted {
        from: event.from.clone(),
        rollout: event.rollout,
        release: event.release.clone(),
        succeeded_at: event.succeeded_at,
    });
}

/// The one that takes over is the next, whoever else waits.
pub(super) fn taken_over(state: &mut State, event: &TakeOverRequested) {
    if let Some(rollout) = &mut state.rollout {
        rollout.successor = Some(Successor {
            rollout: event.successor,
            reason: event.reason.clone(),
        });
    }
    state
        .queue
        .sort_by_key(|request| request.asked.rollout != event.successor);
}
