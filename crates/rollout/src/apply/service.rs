//! Entries of the catalogue, what people say of servers, and whose target it is.

use std::collections::BTreeMap;
use std::sync::Arc;

use events::{Adopted, Epoch, ServerReleased, ServiceDefined, Timestamp};

use crate::catalogue::{self, Entry, ServerRule};
use crate::rules::Rule;
use crate::state::{Outstanding, Server, State};

pub(super) fn defined(state: &mut State, event: &ServiceDefined) {
    // It was read before it was decided; a reader that cannot is older than the writer.
    let Ok(entry) = catalogue::entry_of(&event.entry, &state.target) else {
        return;
    };
    for server in state.servers.values_mut() {
        server.in_catalogue = false;
    }
    for rule in &entry.servers {
        let known = state
            .servers
            .remove(&rule.name)
            .unwrap_or_else(|| fresh(rule));
        let mut server = described(known.clone(), rule, &entry);
        if !same_place(&known, &server) && server.outstanding.as_ref().is_some_and(is_hold) {
            // Every balancer that it stands behind now must keep it out: the `Hold` is issued anew.
            idle(&mut server);
        }
        state.servers.insert(rule.name.clone(), server);
    }
    state.entry_text = Arc::from(event.entry.as_str());
    state.entry_sha256 = Some(event.sha256);
    state.entry = Some(Arc::new(entry));
}

fn fresh(rule: &ServerRule) -> Server {
    Server {
        machine: rule.machine.clone(),
        address: rule.address.clone(),
        balancers: Vec::new(),
        own: None,
        serves: None,
        online: String::new(),
        maintenance: String::new(),
        in_catalogue: true,
        seq: 0,
        proven: None,
        proven_by: None,
        installed: None,
        unproven: false,
        pools: BTreeMap::new(),
        runs: None,
        outstanding: None,
        aside: None,
        strayed: false,
        drift: None,
        attempts: BTreeMap::new(),
        repairs: 0,
    }
}

fn same_place(one: &Server, other: &Server) -> bool {
    one.balancers == other.balancers
        && one.own == other.own
        && one.online == other.online
        && one.maintenance == other.maintenance
        && one.machine == other.machine
}

fn is_hold(outstanding: &Outstanding) -> bool {
    matches!(outstanding.command.work, events::Work::Hold(_))
}

fn described(server: Server, rule: &ServerRule, entry: &Entry) -> Server {
    Server {
        machine: rule.machine.clone(),
        address: rule.address.clone(),
        balancers: entry.balancers.clone(),
        own: entry.own_of(&rule.name),
        online: entry.online.clone(),
        maintenance: entry.maintenance.clone(),
        in_catalogue: true,
        ..server
    }
}

pub(super) fn adopted(state: &mut State, event: &Adopted) {
    if let Some(server) = state.servers.get_mut(&event.server) {
        server.proven = Some(event.release.clone());
        server.proven_by = None;
        server.unproven = false;
        server.serves = None;
    }
}

/// A person has looked, and takes the server on: Poolshift neither holds it nor, as long as it is
/// unproven, puts it back. `adopt` says what the person made of it.
pub(super) fn released(state: &mut State, event: &ServerReleased) {
    if let Some(server) = state.servers.get_mut(&event.server) {
        server.aside = None;
        server.strayed = false;
        server.serves = None;
        idle(server);
    }
}

/// Nothing is outstanding any more: its record gets a number of its own.
pub(super) fn idle(server: &mut Server) {
    if server.outstanding.take().is_some() {
        server.seq += 1;
    }
}

/// A new owner: what is outstanding is published anew under its epoch, and waits anew.
pub(super) fn owner_changed(state: &mut State, epoch: Epoch, at: Timestamp) {
    state.epoch = epoch;
    state.epoch_seen = state.epoch_seen.filter(|seen| *seen >= epoch);
    let restart = state.rules.hold(Rule::ClocksRestart);
    let outstanding = state
        .servers
        .values_mut()
        .filter_map(|server| server.outstanding.as_mut());
    for outstanding in outstanding {
        Arc::make_mut(&mut outstanding.command).epoch = epoch;
        if restart {
            restart_clock(outstanding, at);
        }
    }
    if restart {
        give_people_time(state, at);
    }
}

/// How long people have after a take-over, at the most: what they said may lie unread in the stream
/// of reports, and nobody saw what happened while no owner was there. A deadline that is farther
/// away stays what people were told.
const GRACE_MS: u64 = 15 * 60_000;

fn give_people_time(state: &mut State, at: Timestamp) {
    let grace = |wait_ms: u64| at.plus_ms(wait_ms.min(GRACE_MS));
    if let Some(rollout) = &mut state.rollout {
        let until = grace(rollout.plan.timeouts_ms.person_wait);
        for halt in rollout.halted.iter_mut().chain(&mut rollout.paused) {
            halt.until = halt.until.max(until);
        }
        let approvals = rollout.entry.approvals.as_ref();
        let wait_ms = approvals.map_or(rollout.entry.rollout.gate_expire_ms, |a| a.expire_ms);
        rollout.gated.grace_until = grace(wait_ms);
    }
    if let Some(entry) = &state.entry {
        let until = grace(entry.rollout.queue_expire_ms);
        for request in &mut state.queue {
            request.until = request.until.max(until);
        }
    }
}

fn restart_clock(outstanding: &mut Outstanding, at: Timestamp) {
    let command = Arc::make_mut(&mut outstanding.command);
    outstanding.since = at;
    command.issued_at = at;
    if command.deadline_at != Timestamp::FAR {
        command.deadline_at = at
            .plus_ms(command.start_within_ms)
            .plus_ms(command.timeout_ms);
    }
}
