//! What a target waits for, as a value: never a guess from logs.

mod out;

use events::{BalancerName, Gate, GateKind, Probes, ServerName, Timestamp, Work};

use crate::catalogue::units::duration_text;
use crate::decide::due;
use crate::gate;
use crate::issue::hold_again_at;
use crate::state::{Outstanding, Phase, Rollout, Stage, State};

/// One thing that is waited for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// What, in a few words: `web1: drain on lb2`. How long it may still take is in `until`:
    /// counted down by whoever shows it.
    pub what: String,
    /// Which server it is about.
    pub server: Option<ServerName>,
    /// When the wait ends by itself; none: it goes on until what it waits for comes.
    pub until: Option<Timestamp>,
    /// Whether a person must do something.
    pub person: bool,
}

/// When this target wants to be asked again, if nothing comes before.
#[must_use]
pub fn wake_at(state: &State) -> Option<Timestamp> {
    let commands = state
        .servers
        .values()
        .filter_map(|server| server.outstanding.as_ref())
        .filter_map(|outstanding| due(state, outstanding).or_else(|| hold_again_at(outstanding)));
    let rollout = state
        .rollout
        .iter()
        .flat_map(|rollout| person_waits(rollout));
    let hours = state.rollout.as_deref();
    let hours = hours.and_then(|rollout| gate::awaited(state, rollout));
    let next = state.rollout.as_ref().and_then(|r| r.successor.as_ref());
    let queue = state
        .queue
        .iter()
        .filter(|request| next.is_none_or(|next| next.rollout != request.asked.rollout))
        .map(|request| request.until);
    let running = state.rollout.is_some();
    commands
        .chain(rollout)
        .chain(queue.filter(|_| running))
        .chain(hours)
        .min()
}

fn person_waits(rollout: &Rollout) -> Vec<Timestamp> {
    match rollout.phase {
        Phase::Gates => rollout
            .plan
            .gates
            .iter()
            .map(|gate| gate::until(rollout, gate))
            .chain(rollout.paused.iter().map(|halt| halt.until))
            .collect(),
        Phase::Forward => rollout
            .halted
            .iter()
            .chain(&rollout.paused)
            .filter(|_| rollout.successor.is_none())
            .map(|halt| halt.until)
            .collect(),
        Phase::Back => Vec::new(),
    }
}

/// Everything that this target waits for, the most telling first.
#[must_use]
pub fn waiting(state: &State, at: Timestamp) -> Vec<Waiting> {
    let mut all = Vec::new();
    if let Some(epoch) = state.epoch_seen {
        all.push(Waiting {
            what: format!("a worker has obeyed epoch {epoch}; an owner above it takes over"),
            server: None,
            until: None,
            person: false,
        });
    }
    if let Some(rollout) = &state.rollout {
        all.extend(rollout_waits(state, rollout, at));
    }
    for (name, server) in &state.servers {
        all.extend(
            server
                .outstanding
                .iter()
                .filter_map(|o| command_waits(state, name, o, at)),
        );
        all.extend(out::not_held(name, server));
        all.extend(out::set_aside(state, name, server));
    }
    all.extend(
        state
            .queue
            .iter()
            .map(|request| queue_waiting(state, request)),
    );
    all
}

fn rollout_waits(state: &State, rollout: &Rollout, at: Timestamp) -> Vec<Waiting> {
    let person = |what: String, until: Timestamp| Waiting {
        what,
        server: None,
        until: Some(until),
        person: true,
    };
    let mut all = Vec::new();
    if rollout.phase == Phase::Gates {
        all.extend(gates_wait(state, rollout, at));
    } else if let Some(opens_at) = gate::awaited(state, rollout) {
        all.push(Waiting {
            what: format!(
                "{}; no batch is opened before",
                closed_by(state, rollout, at)
            ),
            server: None,
            until: Some(opens_at),
            person: false,
        });
    }
    match (&rollout.halted, &rollout.successor) {
        (Some(halt), None) => {
            let what = format!("halted: {}; retry or abort, else it goes back", halt.reason);
            all.push(person(what, halt.until));
        }
        (Some(halt), Some(successor)) => all.push(Waiting {
            what: format!(
                "halted: {}; rollout {} takes over when its steps have ended",
                halt.reason, successor.rollout
            ),
            server: None,
            until: None,
            person: false,
        }),
        (None, _) => {}
    }
    if let Some(halt) = &rollout.paused {
        let what = format!(
            "paused: {}; resume or abort, else it goes back",
            halt.reason
        );
        all.push(person(what, halt.until));
    }
    let open = rollout
        .members
        .values()
        .any(|member| member.stage == Stage::Waiting);
    if all.is_empty() && open && state.epoch_seen.is_some() {
        all.push(Waiting {
            what: "a new owner before the next batch".to_owned(),
            server: None,
            until: None,
            person: false,
        });
    }
    all
}

/// Votes are for the plan, and the plan has the entry that it was made from.
fn changed_since(state: &State, rollout: &Rollout) -> &'static str {
    if state.entry_sha256 == Some(rollout.plan.entry_sha256) {
        ""
    } else {
        "; the catalogue has changed since, which this plan does not know: abort and ask again to \
         have it in"
    }
}

/// What each gate of a rollout that has not begun waits for. A freeze that came after the plan is
/// none of its gates, and keeps it all the same.
fn gates_wait(state: &State, rollout: &Rollout, at: Timestamp) -> Vec<Waiting> {
    let planned = |gate: &Gate| gate_waiting(state, rollout, gate, at);
    let mut all: Vec<Waiting> = rollout.plan.gates.iter().filter_map(planned).collect();
    let has_freeze = rollout
        .plan
        .gates
        .iter()
        .any(|gate| gate.kind == GateKind::Freeze);
    if !has_freeze && gate::is_frozen(state, rollout, at) {
        all.push(Waiting {
            what: closed_by(state, rollout, at),
            server: None,
            until: gate::frozen(state, at).map(|freeze| freeze.until),
            person: false,
        });
    }
    all
}

/// What a gate waits for, and until when; nothing, when it is open.
#[must_use]
pub fn gate_waiting(
    state: &State,
    rollout: &Rollout,
    gate: &Gate,
    at: Timestamp,
) -> Option<Waiting> {
    if gate::is_overridden(rollout, &gate.id) {
        return None;
    }
    let what = match (&gate.kind, &gate.promotion) {
        (GateKind::Promotion, Some(wanted)) => {
            if gate::promoted(state, rollout, wanted, at).is_some() {
                return None;
            }
            format!(
                "{} with the same digest to succeed in {} within the last {}",
                rollout.plan.version,
                wanted.from,
                duration_text(wanted.within_ms)
            )
        }
        (GateKind::Window, _) => {
            let opens_at = gate.windows.iter().find(|window| at < window.closes_at);
            match opens_at.map(|window| window.opens_at) {
                Some(opens_at) if opens_at <= at => return None,
                Some(opens_at) => format!("the window that opens at {opens_at}"),
                None => "a window, and its plan has no more".to_owned(),
            }
        }
        (GateKind::Freeze, _) => match gate::frozen(state, at) {
            Some(_) => closed_by(state, rollout, at),
            None => return None,
        },
        (GateKind::Approval, _) if has_all_votes(rollout, gate) => return None,
        (GateKind::Approval | GateKind::Promotion | GateKind::Other(_), _) => format!(
            "{} of {} approvals by {} for plan {}{}",
            gate::votes(rollout, gate),
            gate.count,
            events::voters(&gate.from),
            rollout.digest.short(),
            changed_since(state, rollout)
        ),
    };
    Some(Waiting {
        what,
        server: None,
        until: Some(gate::until(rollout, gate)),
        person: gate.kind == GateKind::Approval,
    })
}

fn has_all_votes(rollout: &Rollout, gate: &Gate) -> bool {
    usize::try_from(gate.count).is_ok_and(|count| gate::votes(rollout, gate) >= count)
}

/// The freeze or the window that keeps it now.
fn closed_by(state: &State, rollout: &Rollout, at: Timestamp) -> String {
    match gate::frozen(state, at).filter(|_| gate::is_frozen(state, rollout, at)) {
        Some(freeze) => format!("frozen until {}: {}", freeze.until, freeze.reason),
        None => "outside of its windows".to_owned(),
    }
}

fn command_waits(
    state: &State,
    name: &ServerName,
    outstanding: &Outstanding,
    at: Timestamp,
) -> Option<Waiting> {
    let until = due(state, outstanding)?;
    let command = &outstanding.command;
    let overdue = if until <= at { ", overdue" } else { "" };
    let begun = begun(outstanding);
    let silent = silent(outstanding);
    let (step, until) = match &command.work {
        Work::Watch(watch) if overdue.is_empty() => {
            let end = outstanding.since.plus_ms(watch.for_ms);
            (watched(outstanding), if end > at { end } else { until })
        }
        Work::Watch(_)
        | Work::Fetch(_)
        | Work::Drain(_)
        | Work::Install(_)
        | Work::Check(_)
        | Work::Test(_)
        | Work::Restore(_)
        | Work::Hold(_) => (command.id.step.clone(), until),
    };
    Some(Waiting {
        what: format!("{name}: {step}{begun}{silent}{overdue}"),
        server: Some(name.clone()),
        until: Some(until),
        person: false,
    })
}

fn watched(outstanding: &Outstanding) -> String {
    let Some(seen) = &outstanding.watched else {
        return "watched".to_owned();
    };
    let (requests, errors) = (seen.server.requests, seen.server.errors());
    let late = seen.response.map_or_else(String::new, |response| {
        let Probes { probes, .. } = response.server;
        format!(", {} of {probes} probes late", response.server.late())
    });
    format!("watched, {requests} requests, {errors} errors{late} so far")
}

fn begun(outstanding: &Outstanding) -> String {
    if outstanding.command.start_within_ms == 0 || outstanding.started {
        return String::new();
    }
    outstanding.queued.last().map_or_else(
        || ", not begun".to_owned(),
        |behind| {
            let (target, command) = (&behind.target, &behind.command);
            format!(
                ", its machine does {} of {target}/{} first",
                command.step, command.server
            )
        },
    )
}

/// The balancers that have not answered, once one has.
fn silent(outstanding: &Outstanding) -> String {
    let pools = matches!(outstanding.command.work, Work::Drain(_) | Work::Restore(_));
    if !pools || outstanding.answered.is_empty() {
        return String::new();
    }
    let names: Vec<&str> = outstanding
        .command
        .balancers
        .iter()
        .map(|balancer| &balancer.name)
        .filter(|name| !outstanding.answered.contains(*name))
        .map(BalancerName::as_str)
        .collect();
    format!(" on {}", names.join(", "))
}

fn is_successor(rollout: &Rollout, request: &crate::state::Request) -> bool {
    let successor = rollout.successor.as_ref();
    successor.is_some_and(|successor| successor.rollout == request.asked.rollout)
}

/// What a rollout waits for that waits for its turn.
#[must_use]
pub fn queue_waiting(state: &State, request: &crate::state::Request) -> Waiting {
    let version = &request.asked.version;
    let what = match &state.rollout {
        Some(rollout) if is_successor(rollout, request) => format!(
            "{version} takes the servers of the halted rollout of {} over",
            rollout.plan.version
        ),
        Some(rollout) if rollout.halted.is_some() => format!(
            "{version} waits behind the halted rollout of {}; tell it to take over with `poolshift \
             supersede {} --with {}`",
            rollout.plan.version, state.target, request.asked.rollout
        ),
        Some(rollout) => format!(
            "{version} waits for the rollout of {}",
            rollout.plan.version
        ),
        None => format!("{version} waits for its plan"),
    };
    Waiting {
        what,
        server: None,
        until: Some(request.until),
        person: false,
    }
}
