//! Pauses, halts, the way back, and the end of a rollout.

use events::{
    AbortRequested, Halted, Paused, RollbackStarted, RolloutFinished, RolloutRef, ServerExcluded,
    ServerJoined, ServerName, Work,
};

use super::{begin, member, service};
use crate::rules::Rule;
use crate::state::{Aside, Halt, Member, Outstanding, Phase, Stage, State};
use crate::step::{Step, Way};

pub(super) fn paused(state: &mut State, event: &Paused) {
    if let Some(rollout) = &mut state.rollout {
        rollout.paused = Some(Halt {
            reason: event.reason.clone(),
            until: event.until,
        });
    }
}

pub(super) fn resumed(state: &mut State) {
    if let Some(rollout) = &mut state.rollout {
        rollout.paused = None;
    }
}

pub(super) fn halted(state: &mut State, event: &Halted) {
    if let Some(rollout) = &mut state.rollout {
        rollout.halted = Some(Halt {
            reason: event.reason.clone(),
            until: event.until,
        });
    }
}

pub(super) fn aborted(state: &mut State, event: &AbortRequested) {
    if let Some(rollout) = &mut state.rollout {
        rollout.aborted = Some(event.reason.clone());
    }
}

/// What failed is tried again from its drain, or its download when nothing was touched. What
/// customers reach is watched once more.
pub(super) fn retried(state: &mut State) {
    let Some(rollout) = &mut state.rollout else {
        return;
    };
    let watch = rollout.course().watch;
    rollout.halted = None;
    rollout.successor = None;
    rollout.failure = None;
    for (name, member) in &mut rollout.members {
        member.tries = 0;
        member.refused = 0;
        member.failure = None;
        if member.stage != Stage::Failed {
            continue;
        }
        let server = state.servers.get(name);
        let held = server.is_some_and(|server| server.unproven);
        let step = if watch && server.is_some_and(|server| member::serves_new(server, member)) {
            Step::Watch
        } else if member.out || held {
            Step::Drain
        } else {
            Step::Fetch
        };
        member.stage = Stage::At(Way::Forward, step);
    }
}

pub(super) fn turned_back(state: &mut State, event: &RollbackStarted) {
    let Some(rollout) = &mut state.rollout else {
        return;
    };
    rollout.phase = Phase::Back;
    rollout.halted = None;
    rollout.paused = None;
    rollout.successor = None;
    rollout.failure.get_or_insert_with(|| event.reason.clone());
    let names: Vec<ServerName> = rollout.members.keys().cloned().collect();
    for member in rollout.members.values_mut() {
        member.refused = 0;
    }
    for name in names {
        member::redirect(state, &name);
    }
}

/// It takes no further part. A download is called off; what keeps an unproven server out stays.
pub(super) fn excluded(state: &mut State, event: &ServerExcluded) {
    let Some((server, rollout)) = member::of(state, &event.server) else {
        return;
    };
    let fetches = |outstanding: &Outstanding| matches!(outstanding.command.work, Work::Fetch(_));
    if server.outstanding.as_ref().is_some_and(fetches) {
        service::idle(server);
    }
    if let Some(member) = rollout.members.get_mut(&event.server) {
        member.stage = Stage::Excluded;
    }
    let failed = |member: &Member| member.stage == Stage::Failed;
    if !rollout.members.values().any(failed) {
        rollout.failure = None;
    }
}

/// A late server goes the same way as the others, behind them.
pub(super) fn joined(state: &mut State, event: &ServerJoined) {
    let name = &event.planned.server;
    let (Some(server), Some(rollout)) = (state.servers.get_mut(name), state.rollout.as_mut())
    else {
        return;
    };
    server.attempts.retain(|step, _| step == "hold");
    let mut member = begin::member(&event.planned);
    member.stage = Stage::At(Way::Forward, Step::Fetch);
    rollout.members.insert(name.clone(), member);
    rollout.order.push(name.clone());
    rollout.joined.push(event.planned.clone());
}

/// The rollout is over. What it leaves out stays in the state: stuck or left.
pub(super) fn finished(state: &mut State, event: &RolloutFinished) {
    begin::leaves_queue(state, event.rollout);
    let stays = state.rules.hold(Rule::StuckStays);
    let Some(rollout) = state
        .rollout
        .take_if(|rollout| rollout.id() == event.rollout)
    else {
        return;
    };
    for (name, member) in rollout.members {
        let Some(server) = state.servers.get_mut(&name) else {
            continue;
        };
        let reason = || {
            member
                .failure
                .clone()
                .unwrap_or_else(|| "its rollout ended before it was back".to_owned())
        };
        if server.unproven && stays {
            // One that was set aside before, or let go of, and that this rollout has not moved,
            // stays what it was.
            if member.touched || member.out {
                server.aside = Some(Aside::Stuck {
                    rollout: event.rollout,
                    reason: reason(),
                });
            }
            continue;
        }
        if !stays {
            server.unproven = false;
        }
        let ours = |outstanding: &Outstanding| {
            outstanding.command.rollout == RolloutRef::Rollout(event.rollout)
        };
        if server.outstanding.as_ref().is_some_and(ours) {
            service::idle(server);
        }
        // One that was left before, and that this rollout has not put back, is left still.
        if member.out {
            server.aside = Some(Aside::Left {
                rollout: event.rollout,
                reason: reason(),
            });
        }
    }
}
