//! What a target waits for, as a value: never a guess from logs.

use events::{BalancerName, Gate, ServerName, Timestamp, Work};

use crate::decide::due;
use crate::state::{Aside, Outstanding, Phase, Rollout, Server, Stage, State};

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
        .filter_map(|outstanding| due(state, outstanding));
    let rollout = state
        .rollout
        .iter()
        .flat_map(|rollout| person_waits(rollout));
    let queue = state.queue.iter().map(|request| request.until);
    let running = state.rollout.is_some();
    commands
        .chain(rollout)
        .chain(queue.filter(|_| running))
        .min()
}

fn person_waits(rollout: &Rollout) -> Vec<Timestamp> {
    match rollout.phase {
        Phase::Gates => rollout
            .plan
            .gates
            .iter()
            .map(|gate| gate.until)
            .chain(rollout.paused.iter().map(|halt| halt.until))
            .collect(),
        Phase::Forward => rollout
            .halted
            .iter()
            .chain(&rollout.paused)
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
        all.extend(rollout_waits(state, rollout));
    }
    for (name, server) in &state.servers {
        all.extend(
            server
                .outstanding
                .iter()
                .filter_map(|o| command_waits(state, name, o, at)),
        );
        all.extend(aside_waits(state, name, server));
    }
    all.extend(
        state
            .queue
            .iter()
            .map(|request| queue_waits(state, request)),
    );
    all
}

fn rollout_waits(state: &State, rollout: &Rollout) -> Vec<Waiting> {
    let person = |what: String, until: Timestamp| Waiting {
        what,
        server: None,
        until: Some(until),
        person: true,
    };
    let mut all = Vec::new();
    if rollout.phase == Phase::Gates {
        for gate in &rollout.plan.gates {
            let text = gate_text(rollout, gate) + changed_since(state, rollout);
            all.push(person(text, gate.until));
        }
    }
    if let Some(halt) = &rollout.halted {
        let what = format!("halted: {}; retry or abort, else it goes back", halt.reason);
        all.push(person(what, halt.until));
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

fn gate_text(rollout: &Rollout, gate: &Gate) -> String {
    let given = rollout
        .votes
        .iter()
        .filter(|vote| vote.gate == gate.id)
        .count();
    format!(
        "{given} of {} approvals by {} for plan {}",
        gate.count,
        events::voters(&gate.from),
        rollout.digest.short()
    )
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
    Some(Waiting {
        what: format!("{name}: {}{begun}{silent}{overdue}", command.id.step),
        server: Some(name.clone()),
        until: Some(until),
        person: false,
    })
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

fn aside_waits(state: &State, name: &ServerName, server: &Server) -> Option<Waiting> {
    let what = match &server.aside {
        _ if state.member(name).is_some() => return None,
        Some(Aside::Stuck { reason, .. }) => {
            format!("{name} is stuck ({reason}); mend it by a rollout, or release it")
        }
        Some(Aside::Left { reason, .. }) => {
            format!("{name} is left ({reason}); it goes back when its balancers can be reached")
        }
        None => return None,
    };
    Some(Waiting {
        what,
        server: Some(name.clone()),
        until: None,
        person: true,
    })
}

fn queue_waits(state: &State, request: &crate::state::Request) -> Waiting {
    let version = &request.asked.version;
    let what = match &state.rollout {
        Some(rollout) if rollout.halted.is_some() => format!(
            "{version} waits behind the halted rollout of {}; abort that to let it go on",
            rollout.plan.version
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
