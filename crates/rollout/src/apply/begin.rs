//! From a request to commands.

use std::collections::BTreeSet;
use std::sync::Arc;

use events::{
    ApprovalGiven, BatchStarted, Command, Plan, PlannedServer, Queued, RolloutId, RolloutPlanned,
    RolloutRef, RolloutRequested, Timestamp, Work,
};

use super::REMEMBERED_MS;
use crate::catalogue::{self, Entry};
use crate::gate;
use crate::state::{
    Gated, Known, Member, Newest, Outstanding, Phase, Request, Rollout, Server, Stage, State, Vote,
};
use crate::step::{Step, Way};

pub(super) fn requested(state: &mut State, event: &RolloutRequested, at: Timestamp) {
    state
        .known
        .retain(|_, known| at.ms_since(known.at) < REMEMBERED_MS);
    state.known.insert(
        event.rollout,
        Known {
            content: event.content,
            at,
        },
    );
    state.queue.push(Request {
        asked: event.clone(),
        until: Timestamp::FAR,
    });
}

pub(super) fn queued(state: &mut State, event: &Queued) {
    let queued = state
        .queue
        .iter_mut()
        .find(|request| request.asked.rollout == event.rollout);
    if let Some(request) = queued {
        request.until = event.until;
    }
}

pub(super) fn leaves_queue(state: &mut State, rollout: RolloutId) {
    if let Some(running) = &mut state.rollout {
        running.successor.take_if(|next| next.rollout == rollout);
    }
    state
        .queue
        .retain(|request| request.asked.rollout != rollout);
}

pub(super) fn planned(state: &mut State, event: &RolloutPlanned, at: Timestamp) {
    let plan = event.plan.value().clone();
    let request = state
        .queue
        .iter()
        .find(|request| request.asked.rollout == event.rollout);
    let Some(asked) = request.map(|request| request.asked.clone()) else {
        return;
    };
    let Some(entry) = entry_of(state, &plan) else {
        return;
    };
    leaves_queue(state, event.rollout);
    taken_on(state, &asked, at);
    let members = plan
        .servers
        .iter()
        .map(|server| (server.server.clone(), member(server)));
    let rollout = Rollout {
        asked,
        digest: event.digest,
        entry,
        phase: Phase::Gates,
        votes: Vec::new(),
        gated: Gated::default(),
        paused: None,
        halted: None,
        successor: None,
        aborted: None,
        failure: None,
        members: members.collect(),
        order: plan
            .servers
            .iter()
            .map(|server| server.server.clone())
            .collect(),
        joined: Vec::new(),
        batch: 0,
        started_at: None,
        least_up: None,
        cut: 0,
        held_out_requests: 0,
        plan: Arc::new(plan),
    };
    for name in rollout.members.keys() {
        if let Some(server) = state.servers.get_mut(name) {
            // A `Hold` of the rollout that set it aside may still be issued anew.
            server.attempts.retain(|step, _| step == "hold");
        }
    }
    state.rollout = Some(Box::new(rollout));
    pass_gates(state, at);
}

/// A build that is taken on makes older ones of its source outdated, as long as requests are
/// remembered.
fn taken_on(state: &mut State, asked: &RolloutRequested, at: Timestamp) {
    state
        .builds
        .retain(|_, newest| at.ms_since(newest.at) < REMEMBERED_MS);
    let Some(build) = &asked.build else {
        return;
    };
    let source = (build.controller.clone(), build.job.clone());
    let newest = state.builds.entry(source).or_insert(Newest {
        number: build.number,
        at,
    });
    if newest.number <= build.number {
        *newest = Newest {
            number: build.number,
            at,
        };
    }
}

/// The entry that the plan froze: mostly the one that still counts.
fn entry_of(state: &State, plan: &Plan) -> Option<Arc<Entry>> {
    let same = state
        .entry
        .as_ref()
        .filter(|_| *state.entry_text == *plan.entry);
    same.cloned().or_else(|| {
        catalogue::entry_of(&plan.entry, &plan.target)
            .ok()
            .map(Arc::new)
    })
}

pub(super) fn member(server: &PlannedServer) -> Member {
    Member {
        stage: Stage::Waiting,
        tries: 0,
        refused: 0,
        touched: false,
        was_up: server.up,
        out: false,
        failure: None,
        gave_up: false,
        previous: server.previous.clone(),
    }
}

pub(super) fn approved(state: &mut State, event: &ApprovalGiven, at: Timestamp) {
    let Some(rollout) = state.rollout.as_mut() else {
        return;
    };
    rollout.votes.push(Vote {
        gate: event.gate.clone(),
        person: event.person.clone(),
    });
    pass_gates(state, at);
}

/// Where votes alone are waited for, the last of them opens the gates, unless a freeze keeps them
/// shut.
fn pass_gates(state: &mut State, at: Timestamp) {
    let open = state.rollout.as_deref().is_some_and(|rollout| {
        rollout.phase == Phase::Gates
            && gate::wants_votes_only(rollout)
            && gate::has_votes(rollout)
            && !gate::is_frozen(state, rollout, at)
    });
    if open {
        gates_passed(state);
    }
}

/// Every server fetches, but for those that are held: a command that leaves the pools alone would
/// let them go.
pub(super) fn gates_passed(state: &mut State) {
    let Some(rollout) = state.rollout.as_mut() else {
        return;
    };
    rollout.phase = Phase::Forward;
    rollout.gated.waits_until = None;
    for (name, member) in &mut rollout.members {
        let held = state
            .servers
            .get(name)
            .is_some_and(|server| server.unproven);
        if !held && member.stage != Stage::Excluded {
            member.stage = Stage::At(Way::Forward, Step::Fetch);
        }
    }
}

pub(super) fn batch(state: &mut State, event: &BatchStarted, at: Timestamp) {
    let Some(rollout) = state.rollout.as_mut() else {
        return;
    };
    rollout.batch = event.batch;
    rollout.gated.waits_until = None;
    rollout.started_at.get_or_insert(at);
    let way = if rollout.phase == Phase::Back {
        Way::Back
    } else {
        Way::Forward
    };
    for name in &event.servers {
        let up = state.servers.get(name).is_some_and(Server::is_up);
        if let Some(member) = rollout.members.get_mut(name) {
            member.stage = Stage::At(way, Step::Drain);
            member.tries = 0;
            member.was_up = up;
        }
    }
}

pub(super) fn issued(state: &mut State, command: &Command) {
    let Some(server) = state.servers.get_mut(&command.server) else {
        return;
    };
    server.seq = command.seq;
    match command.rollout {
        RolloutRef::Repair => server.repairs = command.attempt,
        RolloutRef::Rollout(_) => {
            server
                .attempts
                .insert(command.id.step.clone(), command.attempt);
        }
    }
    server.strayed = false;
    server.outstanding = Some(Outstanding {
        command: Arc::new(command.clone()),
        started: false,
        since: command.issued_at,
        own_done: false,
        own_failed_at: None,
        queued: Vec::new(),
        answered: BTreeSet::new(),
        watched: None,
    });
    if command.own.is_some() && command.work.keeps_out() {
        server.serves = Some(false);
    }
    let installs = matches!(command.work, Work::Install(_));
    if installs {
        server.unproven = true;
        server.installed = None;
    }
    let drains = matches!(command.work, Work::Drain(_));
    let member = state
        .rollout
        .as_mut()
        .and_then(|rollout| rollout.members.get_mut(&command.server));
    if let Some(member) = member {
        member.touched |= installs;
        member.out |= drains;
    }
}
