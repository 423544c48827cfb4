//! From a request to commands.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use events::{
    ApprovalGiven, BatchStarted, Command, Gate, Plan, PlannedServer, Queued, RolloutId,
    RolloutPlanned, RolloutRef, RolloutRequested, ServerName, Timestamp, Work,
};

use super::REMEMBERED_MS;
use crate::catalogue::{self, Entry};
use crate::state::{
    Known, Member, Outstanding, Phase, Request, Rollout, Server, Stage, State, Vote,
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
    state
        .queue
        .retain(|request| request.asked.rollout != rollout);
}

pub(super) fn planned(state: &mut State, event: &RolloutPlanned) {
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
    let members = plan
        .servers
        .iter()
        .map(|server| (server.server.clone(), member(server)));
    let mut rollout = Rollout {
        asked,
        digest: event.digest,
        entry,
        phase: Phase::Gates,
        votes: Vec::new(),
        paused: None,
        halted: None,
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
    pass_gates(&mut rollout, &state.servers);
    state.rollout = Some(Box::new(rollout));
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

pub(super) fn approved(state: &mut State, event: &ApprovalGiven) {
    let Some(rollout) = state.rollout.as_mut() else {
        return;
    };
    rollout.votes.push(Vote {
        gate: event.gate.clone(),
        person: event.person.clone(),
    });
    pass_gates(rollout, &state.servers);
}

/// When every gate has its votes, every server fetches, but for those that are held: a command
/// that leaves the pools alone would let them go.
fn pass_gates(rollout: &mut Rollout, servers: &BTreeMap<ServerName, Server>) {
    let votes = &rollout.votes;
    let passed = |gate: &Gate| {
        let given: BTreeSet<_> = votes
            .iter()
            .filter(|vote| vote.gate == gate.id)
            .map(|vote| &vote.person)
            .collect();
        given.len() >= usize::try_from(gate.count).unwrap_or(usize::MAX)
    };
    if rollout.phase != Phase::Gates || !rollout.plan.gates.iter().all(passed) {
        return;
    }
    rollout.phase = Phase::Forward;
    for (name, member) in &mut rollout.members {
        let held = servers.get(name).is_some_and(|server| server.unproven);
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
        queued: Vec::new(),
        answered: BTreeSet::new(),
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
