//! Which servers are taken on together, forward and back.

use events::{BatchStarted, Event, ServerName, Timestamp};

use crate::gate;
use crate::safety;
use crate::state::{Phase, Rollout, Stage, State};

pub(super) fn open(state: &State, at: Timestamp) -> Vec<Event> {
    let Some(rollout) = state.rollout.as_deref() else {
        return Vec::new();
    };
    if state.epoch_seen.is_some() {
        return Vec::new();
    }
    let servers = match rollout.phase {
        Phase::Gates => Vec::new(),
        // Hours and freezes keep what goes forward only: the way back is always open.
        Phase::Forward if gate::opens(state, rollout, at) != Some(at) => Vec::new(),
        Phase::Forward => forward(state, rollout),
        Phase::Back => back(state, rollout),
    };
    if servers.is_empty() {
        return Vec::new();
    }
    vec![
        BatchStarted {
            rollout: rollout.id(),
            batch: rollout.batch + 1,
            servers,
        }
        .into(),
    ]
}

fn forward(state: &State, rollout: &Rollout) -> Vec<ServerName> {
    let stopped = rollout.paused.is_some() || rollout.halted.is_some() || rollout.aborted.is_some();
    if stopped || !safety::may_open_forward(state, rollout) {
        return Vec::new();
    }
    let room = safety::room_forward(state, rollout);
    take(state, rollout, Stage::Waiting, room)
}

fn back(state: &State, rollout: &Rollout) -> Vec<ServerName> {
    if !safety::may_open_back(rollout) {
        return Vec::new();
    }
    let room = safety::room_back(state, rollout);
    take(state, rollout, Stage::BackWaiting, room)
}

/// The first servers of that stage in the plan's order: as many as there is room for, of those
/// that are UP never more than the floor leaves.
fn take(state: &State, rollout: &Rollout, stage: Stage, room: usize) -> Vec<ServerName> {
    let mut up_left = safety::up_to_take(state, rollout);
    let mut servers = Vec::new();
    for name in &rollout.order {
        let waits = rollout
            .members
            .get(name)
            .is_some_and(|member| member.stage == stage);
        if !waits || servers.len() >= room {
            continue;
        }
        let is_up = state
            .servers
            .get(name)
            .is_some_and(crate::state::Server::is_up);
        if is_up && up_left == 0 {
            continue;
        }
        up_left -= usize::from(is_up);
        servers.push(name.clone());
    }
    servers
}
