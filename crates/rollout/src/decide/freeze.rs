//! Freezes, and what other targets of the same service tell.

use events::{
    ActorKind, Event, FreezeLifted, FreezeSet, LiftFreeze, PromotionSeen, ReportPromotion,
    SetFreeze, Timestamp,
};

use super::{Heard, Reply};
use crate::catalogue::units::LONGEST_MS;
use crate::state::State;

pub(super) fn set(state: &State, heard: &Heard, asked: &SetFreeze, at: Timestamp) -> Reply {
    if state.heard.contains_key(&heard.id) {
        return Reply::default();
    }
    let from = asked.from.unwrap_or(at).max(at);
    if asked.until <= from {
        return Reply::refuse(format!(
            "the freeze would be over at {}, before it begins; give a later end",
            asked.until
        ));
    }
    if asked.until > at.plus_ms(LONGEST_MS) {
        return Reply::refuse("a freeze ends within 365 days; set it anew when that is over");
    }
    Event::from(FreezeSet {
        freeze: heard.id,
        from,
        until: asked.until,
        by: heard.actor.clone(),
        reason: asked.reason.clone(),
    })
    .into()
}

pub(super) fn lift(state: &State, heard: &Heard, asked: &LiftFreeze) -> Reply {
    if state.heard.contains_key(&heard.id) {
        return Reply::default();
    }
    let known = asked
        .freezes
        .iter()
        .filter(|freeze| state.freezes.contains_key(freeze));
    let lifted: Vec<Event> = known
        .map(|freeze| {
            FreezeLifted {
                freeze: *freeze,
                by: heard.actor.clone(),
                reason: asked.reason.clone(),
            }
            .into()
        })
        .collect();
    if lifted.is_empty() {
        return Reply::refuse("no such freeze counts here; `poolshift status` shows those that do");
    }
    lifted.into()
}

/// Only a process of ours tells of a success, and only the latest one of a release is of use.
pub(super) fn promotion(state: &State, heard: &Heard, told: &ReportPromotion) -> Reply {
    if heard.actor.kind != ActorKind::Process {
        return Reply::refuse("only the owner of the other target says what succeeded there");
    }
    let same_service = told.from.service() == state.target.service();
    if !same_service || told.from == state.target {
        return Reply::refuse(format!(
            "{} is no other target of the service of {}",
            told.from, state.target
        ));
    }
    let known = state.promoted.iter().any(|known| {
        known.from == told.from
            && known.release == told.release
            && known.succeeded_at >= told.succeeded_at
    });
    if known {
        return Reply::default();
    }
    Event::from(PromotionSeen {
        from: told.from.clone(),
        rollout: told.rollout,
        n: told.n,
        release: told.release.clone(),
        succeeded_at: told.succeeded_at,
    })
    .into()
}
