//! Whether a rollout may begin and a batch be opened: what its gates say, and from when on.

use events::{Gate, GateKind, Promotion, Release, Timestamp, Window};

use crate::calendar;
use crate::catalogue::Entry;
use crate::rules::Rule;
use crate::safety;
use crate::state::{Freeze, Phase, Promoted, Rollout, Stage, State};

/// The gate that waits for hours.
pub(crate) const WINDOW: &str = "window";
/// The gate that waits for the end of a freeze.
pub(crate) const FREEZE: &str = "freeze";
/// The gate that waits for a success elsewhere.
pub(crate) const PROMOTION: &str = "promotion";

/// The gates of a new plan besides votes. A freeze that is set later closes a gate of its own, in
/// no plan.
///
/// # Errors
/// When a window cannot be computed.
pub(crate) fn planned(
    state: &State,
    entry: &Entry,
    at: Timestamp,
) -> Result<Vec<Gate>, jiff::Error> {
    let gate = |id: &str, kind| Gate {
        id: id.to_owned(),
        kind,
        count: 0,
        from: entry.gates.overrides.clone(),
        until: at.plus_ms(entry.rollout.gate_expire_ms),
        promotion: None,
        windows: Vec::new(),
    };
    let mut gates = Vec::new();
    if let Some(requires) = &entry.gates.requires {
        gates.push(Gate {
            promotion: Some(Promotion {
                from: state.target.in_environment(&requires.succeeded_in),
                within_ms: requires.within_ms,
            }),
            ..gate(PROMOTION, GateKind::Promotion)
        });
    }
    if !entry.gates.windows.is_empty() {
        gates.push(Gate {
            windows: calendar::windows(&entry.gates.windows, at)?,
            ..gate(WINDOW, GateKind::Window)
        });
    }
    if frozen(state, at).is_some() {
        gates.push(gate(FREEZE, GateKind::Freeze));
    }
    Ok(gates)
}

/// From when on the time for votes counts: a vote that lapsed before the window opens would be
/// worth nothing.
pub(crate) fn votes_count_from(
    state: &State,
    entry: &Entry,
    gates: &[Gate],
    at: Timestamp,
) -> Timestamp {
    let windows = gates.iter().find(|gate| gate.id == WINDOW);
    let freezes = state.freezes.values();
    let opens = first_open(&freezes, windows.map(|gate| gate.windows.as_slice()), at);
    opens
        .unwrap_or(at)
        .min(at.plus_ms(entry.rollout.gate_expire_ms))
}

/// When a gate's time is over.
pub(crate) fn until(rollout: &Rollout, gate: &Gate) -> Timestamp {
    gate.until.max(rollout.gated.grace_until)
}

/// How many people have voted on a gate.
pub(crate) fn votes(rollout: &Rollout, gate: &Gate) -> usize {
    let people: std::collections::BTreeSet<_> = rollout
        .votes
        .iter()
        .filter(|vote| vote.gate == gate.id)
        .map(|vote| &vote.person)
        .collect();
    people.len()
}

/// Whether every gate that waits for votes has them.
pub(crate) fn has_votes(rollout: &Rollout) -> bool {
    let enough =
        |gate: &Gate| votes(rollout, gate) >= usize::try_from(gate.count).unwrap_or(usize::MAX);
    rollout.plan.gates.iter().all(enough)
}

/// Whether the votes do not count any more.
pub(crate) fn votes_lapsed(rollout: &Rollout, at: Timestamp) -> bool {
    let mut gates = rollout.plan.gates.iter();
    gates.any(|gate| gate.kind == GateKind::Approval && until(rollout, gate) <= at)
}

/// Whether votes alone are waited for: then the last one opens the gates.
pub(crate) fn wants_votes_only(rollout: &Rollout) -> bool {
    let gates = &rollout.plan.gates;
    gates.iter().all(|gate| gate.kind == GateKind::Approval)
}

/// The freeze that counts at that time, if one does.
pub(crate) fn frozen(state: &State, at: Timestamp) -> Option<&Freeze> {
    let mut freezes = state.freezes.values();
    freezes.find(|freeze| freeze.from <= at && at < freeze.until)
}

/// Whether a freeze keeps this rollout.
pub(crate) fn is_frozen(state: &State, rollout: &Rollout, at: Timestamp) -> bool {
    frozen(state, at).is_some() && !is_overridden(rollout, FREEZE)
}

/// The windows of its plan, unless it has none or may pass them.
pub(crate) fn windows(rollout: &Rollout) -> Option<&[Window]> {
    let gate = rollout.plan.gates.iter().find(|gate| gate.id == WINDOW)?;
    (!is_overridden(rollout, WINDOW)).then_some(gate.windows.as_slice())
}

/// The first time from `at` on that is in a window and in no freeze.
pub(crate) fn opens(state: &State, rollout: &Rollout, at: Timestamp) -> Option<Timestamp> {
    if !state.rules.hold(Rule::CalendarHolds) {
        return Some(at);
    }
    let freezes = state
        .freezes
        .values()
        .filter(|_| !is_overridden(rollout, FREEZE));
    first_open(&freezes, windows(rollout), at)
}

/// The first time from `at` on at which it may begin, as far as is known.
pub(crate) fn begins(state: &State, rollout: &Rollout, at: Timestamp) -> Option<Timestamp> {
    let opens = opens(state, rollout, at)?;
    let gates = &rollout.plan.gates;
    if gates
        .iter()
        .any(|gate| matches!(gate.kind, GateKind::Other(_)))
    {
        // A newer version of us planned it, and knows when it opens.
        return None;
    }
    let wanted = rollout.plan.gates.iter().filter_map(|gate| {
        let overridden = is_overridden(rollout, &gate.id);
        gate.promotion.as_ref().filter(|_| !overridden)
    });
    let holds = |wanted: &Promotion| promoted(state, rollout, wanted, opens).is_some();
    let mut wanted = wanted.filter(|_| state.rules.hold(Rule::PromotionHolds));
    wanted.all(holds).then_some(opens)
}

/// The success elsewhere that opens the gate at that time.
pub(crate) fn promoted<'a>(
    state: &'a State,
    rollout: &Rollout,
    wanted: &Promotion,
    at: Timestamp,
) -> Option<&'a Promoted> {
    let release = release(rollout);
    state.promoted.iter().find(|promoted| {
        promoted.from == wanted.from
            && promoted.release == release
            && at.ms_since(promoted.succeeded_at) <= wanted.within_ms
    })
}

/// Whether nothing but the time keeps it: the votes are there, or a batch could be opened.
pub(crate) fn only_time_keeps(state: &State, rollout: &Rollout) -> bool {
    match rollout.phase {
        Phase::Gates => rollout.aborted.is_none() && has_votes(rollout),
        Phase::Forward => {
            let stopped = rollout.paused.is_some()
                || rollout.halted.is_some()
                || rollout.aborted.is_some()
                || state.epoch_seen.is_some();
            let waits = rollout
                .members
                .values()
                .any(|member| member.stage == Stage::Waiting);
            !stopped
                && waits
                && safety::may_open_forward(state, rollout)
                && safety::room_forward(state, rollout) > 0
        }
        Phase::Back => false,
    }
}

/// When the time will have come, for a rollout that nothing else keeps.
pub(crate) fn awaited(state: &State, rollout: &Rollout) -> Option<Timestamp> {
    rollout
        .gated
        .waits_until
        .filter(|_| only_time_keeps(state, rollout))
}

/// Why no batch will ever be opened again under its plan.
pub(crate) fn exhausted(state: &State, rollout: &Rollout, at: Timestamp) -> Option<String> {
    if !only_time_keeps(state, rollout) || opens(state, rollout, at).is_some() {
        return None;
    }
    Some(
        match frozen(state, at).filter(|_| is_frozen(state, rollout, at)) {
            Some(freeze) => format!(
                "frozen until {}, when the windows of its plan are over",
                freeze.until
            ),
            None => "the windows of its plan are over".to_owned(),
        },
    )
}

pub(crate) fn is_overridden(rollout: &Rollout, gate: &str) -> bool {
    rollout.gated.overridden.contains(gate)
}

fn release(rollout: &Rollout) -> Release {
    Release {
        version: rollout.plan.version.clone(),
        sha256: rollout.plan.artifact.sha256,
    }
}

fn first_open<'a>(
    freezes: &(impl Iterator<Item = &'a Freeze> + Clone),
    windows: Option<&[Window]>,
    at: Timestamp,
) -> Option<Timestamp> {
    let mut opens = at;
    loop {
        let before = opens;
        if let Some(windows) = windows {
            let window = windows.iter().find(|window| opens < window.closes_at)?;
            opens = opens.max(window.opens_at);
        }
        let mut now = freezes.clone();
        if let Some(freeze) = now.find(|freeze| freeze.from <= opens && opens < freeze.until) {
            opens = freeze.until;
        }
        if opens == before {
            return Some(opens);
        }
    }
}
