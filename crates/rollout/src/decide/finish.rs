//! When a rollout is over, and how it ended.

use events::{
    Event, FinalServer, Outcome, Pool, RolloutFinished, RolloutId, RolloutRef, ServerName,
    Timestamp, Work,
};

use super::fleet;
use crate::rules::Rule;
use crate::safety;
use crate::state::{Aside, Member, Outstanding, Phase, Rollout, Stage, State};
use crate::step::Step;

pub(super) fn finish(state: &State, at: Timestamp) -> Vec<Event> {
    let Some(rollout) = state.rollout.as_deref() else {
        return Vec::new();
    };
    let over = match rollout.phase {
        Phase::Gates => None,
        Phase::Forward => taken_over(state, rollout).or_else(|| forward(state, rollout)),
        Phase::Back => back(state, rollout),
    };
    let Some((outcome, reason)) = over else {
        return Vec::new();
    };
    vec![finished(state, rollout, outcome, reason, at).into()]
}

/// It ends as it is for the one that takes its servers over, as soon as nothing runs on them: what
/// is installed or tested cannot be called back, and its answer must find its rollout.
fn taken_over(state: &State, rollout: &Rollout) -> Option<(Outcome, String)> {
    let successor = rollout.successor.as_ref()?;
    rollout.halted.as_ref()?;
    let await_steps = state.rules.hold(Rule::TakeOverAwaitsSteps);
    let runs = |(name, member): (&ServerName, &Member)| {
        let to_come = match member.stage {
            Stage::At(_, step) => step != Step::Restore,
            Stage::PutBack(_) => true,
            Stage::Waiting
            | Stage::Failed
            | Stage::Done
            | Stage::BackWaiting
            | Stage::Returned
            | Stage::Kept
            | Stage::Excluded => false,
        };
        let server = state.servers.get(name);
        let outstanding = server.and_then(|server| server.outstanding.as_ref());
        let works = |outstanding: &Outstanding| {
            outstanding.command.rollout == RolloutRef::Rollout(rollout.id())
                && !matches!(outstanding.command.work, Work::Hold(_))
        };
        to_come || outstanding.is_some_and(works)
    };
    if await_steps && rollout.members.iter().any(runs) {
        return None;
    }
    let reason = format!(
        "rollout {} takes its servers over: {}",
        successor.rollout, successor.reason
    );
    Some((Outcome::Superseded, reason))
}

fn forward(state: &State, rollout: &Rollout) -> Option<(Outcome, String)> {
    let members = || rollout.members.values();
    let done = |member: &Member| member.stage == Stage::Done;
    if !members().all(|member| done(member) || member.stage == Stage::Excluded) {
        return None;
    }
    if !members().any(done) {
        let reason = "every server was taken out of the rollout, so nothing was done";
        return Some((Outcome::Incomplete, reason.to_owned()));
    }
    let except = fleet::except(state, rollout);
    let reason = if except.is_empty() {
        "every server runs the new version".to_owned()
    } else {
        let names: Vec<&str> = except.iter().map(ServerName::as_str).collect();
        let names = names.join(", ");
        format!("every server runs the new version but {names}")
    };
    Some((Outcome::Succeeded, reason))
}

fn back(state: &State, rollout: &Rollout) -> Option<(Outcome, String)> {
    let members = || rollout.members.values();
    let moving = |member: &Member| matches!(member.stage, Stage::At(..) | Stage::PutBack(_));
    let waits = members().any(|member| member.stage == Stage::BackWaiting);
    if members().any(moving) || (waits && safety::can_go_back(state, rollout)) {
        return None;
    }
    let reason = rollout
        .failure
        .clone()
        .unwrap_or_else(|| "stopped".to_owned());
    let unproven = |member: &Member| member.stage == Stage::Failed && member.touched;
    let elsewhere = |member: &Member| {
        matches!(
            member.stage,
            Stage::Kept | Stage::BackWaiting | Stage::Done | Stage::Failed
        )
    };
    let outcome = if members().any(|member| unproven(member) && member.out) {
        Outcome::Halted
    } else if members().any(elsewhere) {
        Outcome::Incomplete
    } else if rollout.aborted.is_some() {
        Outcome::Aborted
    } else {
        Outcome::RolledBack
    };
    Some((outcome, reason))
}

/// The last event of a rollout that waited for its turn.
pub(super) fn unbegun(rollout: RolloutId, outcome: Outcome, reason: String) -> RolloutFinished {
    RolloutFinished {
        rollout,
        outcome,
        servers: Vec::new(),
        stuck: Vec::new(),
        left: Vec::new(),
        except: Vec::new(),
        least_up: None,
        floor: 0,
        held_out_requests: 0,
        cut: 0,
        took_ms: 0,
        reason,
    }
}

/// The last event of a rollout.
pub(super) fn finished(
    state: &State,
    rollout: &Rollout,
    outcome: Outcome,
    reason: String,
    at: Timestamp,
) -> RolloutFinished {
    let names = |wanted: &dyn Fn(&ServerName, &Member) -> bool| -> Vec<ServerName> {
        let members = rollout.members.iter();
        members
            .filter(|(name, member)| wanted(name, member))
            .map(|(name, _)| name.clone())
            .collect()
    };
    let unproven = |name: &ServerName| {
        state
            .servers
            .get(name)
            .is_some_and(|server| server.unproven)
    };
    let left = |name: &ServerName| {
        let aside = state.servers.get(name).and_then(|s| s.aside.as_ref());
        matches!(aside, Some(Aside::Left { .. }))
    };
    let stuck = |name: &ServerName, member: &Member| {
        unproven(name) && (member.touched || member.out || is_stuck(state, name))
    };
    RolloutFinished {
        rollout: rollout.id(),
        outcome,
        servers: rollout
            .members
            .iter()
            .map(|(name, member)| last(state, name, member))
            .collect(),
        stuck: names(&stuck),
        left: names(&|name, member| (member.out || left(name)) && !unproven(name)),
        except: fleet::except(state, rollout),
        least_up: rollout.least_up,
        floor: rollout.plan.floor,
        held_out_requests: rollout.held_out_requests,
        cut: rollout.cut,
        took_ms: rollout.started_at.map_or(0, |started| at.ms_since(started)),
        reason,
    }
}

fn is_stuck(state: &State, name: &ServerName) -> bool {
    let server = state.servers.get(name);
    server.is_some_and(|server| matches!(server.aside, Some(Aside::Stuck { .. })))
}

fn last(state: &State, name: &ServerName, member: &Member) -> FinalServer {
    let server = state.servers.get(name);
    FinalServer {
        server: name.clone(),
        release: server.and_then(|server| server.proven.clone()),
        pool: if member.out || is_stuck(state, name) {
            Pool::Maintenance
        } else {
            Pool::Online
        },
    }
}
