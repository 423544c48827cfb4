//! A rollout is asked for: taken once, never silently dropped, never overtaken by an older build.

use events::{
    Build, Event, Outcome, Queued, RejectedBecause, RequestRollout, RolloutFinished, RolloutId,
    RolloutRejected, RolloutRequested, Superseded, Timestamp,
};

use super::{Reply, finish};
use crate::apply::REMEMBERED_MS;
use crate::catalogue::{Entry, SecondRequest};
use crate::rules::Rule;
use crate::state::{Phase, Request, State};

/// How many requests may wait on one target.
const WAITING_MAX: usize = 8;

pub(super) fn request(state: &State, asked: &RequestRollout, at: Timestamp) -> Reply {
    if let Some(known) = state.known.get(&asked.rollout)
        && state.rules.hold(Rule::RequestCountsOnce)
    {
        if known.content == asked.content() {
            return Reply::default();
        }
        return Reply::refuse(format!(
            "the key `{}` was used before for another version or artifact; use a new key",
            asked.key
        ));
    }
    let (Some(entry), Some(entry_sha256)) = (&state.entry, state.entry_sha256) else {
        let none = events::sha256(b"");
        let why = format!(
            "{} has no catalogue entry; add one with `poolshift apply`",
            state.target
        );
        return with(
            requested(asked, none).into(),
            rejection(asked, RejectedBecause::NoService, why),
        );
    };
    let requested: Event = requested(asked, entry_sha256).into();
    if let Some(newer) = newer_of_same_source(state, asked, at) {
        return with(
            requested,
            rejection(
                asked,
                RejectedBecause::Outdated,
                format!("build {newer} of the same source came before it"),
            ),
        );
    }
    let superseded = superseded(state, entry, asked);
    if state.queue.len() - superseded.len() >= WAITING_MAX {
        return with(
            requested,
            rejection(
                asked,
                RejectedBecause::QueueFull,
                format!("{WAITING_MAX} rollouts wait already"),
            ),
        );
    }
    let gone: Vec<RolloutId> = superseded.iter().map(|event| event.rollout).collect();
    let mut events = vec![requested];
    events.extend(superseded.into_iter().map(Event::from));
    let replaced = replaced_at_its_gates(state, entry, asked, at);
    let behind = match &replaced {
        Some(_) => {
            let mut others = state.queue.iter().map(|request| request.asked.rollout);
            others.find(|other| !gone.contains(other))
        }
        None => state.rollout.as_ref().map(|rollout| rollout.id()),
    };
    events.extend(replaced.map(Event::from));
    events.extend(behind.map(|behind| queued(entry, asked, behind, at)));
    events.into()
}

fn requested(asked: &RequestRollout, entry_sha256: events::Digest) -> RolloutRequested {
    RolloutRequested {
        rollout: asked.rollout,
        key: asked.key.clone(),
        sender: asked.sender.clone(),
        entry_sha256,
        version: asked.version.clone(),
        artifact: asked.artifact.clone(),
        tests: asked.tests.clone(),
        requested_by: asked.requested_by.clone(),
        proven: asked.proven,
        claims: asked.claims.clone(),
        build: asked.build.clone(),
        commit: asked.commit.clone(),
        change: asked.change.clone(),
        trust: asked.trust.clone(),
        content: asked.content(),
    }
}

fn rejection(asked: &RequestRollout, reason: RejectedBecause, detail: String) -> Event {
    RolloutRejected {
        rollout: asked.rollout,
        reason,
        detail,
    }
    .into()
}

fn with(first: Event, second: Event) -> Reply {
    vec![first, second].into()
}

fn same_source(one: &Build, other: &Build) -> bool {
    one.controller == other.controller && one.job == other.job
}

/// The number of a newer build of the same source that ran, runs or waits.
fn newer_of_same_source(state: &State, asked: &RequestRollout, at: Timestamp) -> Option<u64> {
    let build = asked.build.as_ref()?;
    let running = state
        .rollout
        .as_ref()
        .and_then(|rollout| rollout.asked.build.as_ref());
    let waiting = state
        .queue
        .iter()
        .filter_map(|request| request.asked.build.as_ref());
    let source = (build.controller.clone(), build.job.clone());
    let ran = state
        .builds
        .get(&source)
        .filter(|newest| at.ms_since(newest.at) < REMEMBERED_MS)
        .map(|newest| newest.number);
    running
        .into_iter()
        .chain(waiting)
        .filter(|other| same_source(build, other))
        .map(|other| other.number)
        .chain(ran)
        .filter(|number| *number > build.number)
        .max()
}

fn superseded(state: &State, entry: &Entry, asked: &RequestRollout) -> Vec<Superseded> {
    let Some(build) = &asked.build else {
        return Vec::new();
    };
    if entry.rollout.second_request == SecondRequest::Queue {
        return Vec::new();
    }
    let successor = state.rollout.as_ref().and_then(|r| r.successor.as_ref());
    let takes_over = |request: &&Request| {
        successor.is_some_and(|successor| successor.rollout == request.asked.rollout)
    };
    state
        .queue
        .iter()
        .filter(|request| !takes_over(request))
        .filter(|request| is_older(request.asked.build.as_ref(), build))
        .map(|request| Superseded {
            rollout: request.asked.rollout,
            by: asked.rollout,
        })
        .collect()
}

fn is_older(other: Option<&Build>, build: &Build) -> bool {
    other.is_some_and(|other| same_source(build, other) && other.number < build.number)
}

/// A rollout that still waits at its gates has touched nothing: a newer build of the same source
/// takes its place there as it would in the queue.
fn replaced_at_its_gates(
    state: &State,
    entry: &Entry,
    asked: &RequestRollout,
    at: Timestamp,
) -> Option<RolloutFinished> {
    let build = asked.build.as_ref()?;
    let rollout = state
        .rollout
        .as_deref()
        .filter(|rollout| rollout.phase == Phase::Gates && rollout.aborted.is_none())
        .filter(|rollout| is_older(rollout.asked.build.as_ref(), build))?;
    if entry.rollout.second_request == SecondRequest::Queue {
        return None;
    }
    let reason = format!("build {} took its place before it began", build.number);
    let outcome = Outcome::Superseded;
    Some(finish::finished(state, rollout, outcome, reason, at))
}

fn queued(entry: &Entry, asked: &RequestRollout, behind: RolloutId, at: Timestamp) -> Event {
    Queued {
        rollout: asked.rollout,
        behind,
        until: at.plus_ms(entry.rollout.queue_expire_ms),
    }
    .into()
}
