//! A rollout is asked for: taken once, never silently dropped, never overtaken by an older build.

use events::{
    Build, Event, Queued, RejectedBecause, RequestRollout, RolloutRejected, RolloutRequested,
    Superseded, Timestamp,
};

use super::Reply;
use crate::catalogue::{Entry, SecondRequest};
use crate::rules::Rule;
use crate::state::State;

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
    if let Some(newer) = newer_of_same_source(state, asked) {
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
    let mut events = vec![requested];
    events.extend(superseded.into_iter().map(Event::from));
    events.extend(queued(state, entry, asked, at).map(Event::from));
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

/// The number of a newer build of the same source that runs or waits.
fn newer_of_same_source(state: &State, asked: &RequestRollout) -> Option<u64> {
    let build = asked.build.as_ref()?;
    let running = state
        .rollout
        .as_ref()
        .and_then(|rollout| rollout.asked.build.as_ref());
    let waiting = state
        .queue
        .iter()
        .filter_map(|request| request.asked.build.as_ref());
    running
        .into_iter()
        .chain(waiting)
        .filter(|other| same_source(build, other) && other.number > build.number)
        .map(|other| other.number)
        .max()
}

fn superseded(state: &State, entry: &Entry, asked: &RequestRollout) -> Vec<Superseded> {
    let Some(build) = &asked.build else {
        return Vec::new();
    };
    if entry.rollout.second_request == SecondRequest::Queue {
        return Vec::new();
    }
    let older = |other: &Build| same_source(build, other) && other.number < build.number;
    state
        .queue
        .iter()
        .filter(|request| request.asked.build.as_ref().is_some_and(older))
        .map(|request| Superseded {
            rollout: request.asked.rollout,
            by: asked.rollout,
        })
        .collect()
}

fn queued(state: &State, entry: &Entry, asked: &RequestRollout, at: Timestamp) -> Option<Queued> {
    let running = state.rollout.as_ref()?;
    Some(Queued {
        rollout: asked.rollout,
        behind: running.id(),
        until: at.plus_ms(entry.rollout.queue_expire_ms),
    })
}
