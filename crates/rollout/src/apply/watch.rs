//! What a watch makes of the state.

use events::{CommandId, Regressed, Steady, WatchSeen, Watching, Work};

use super::answer::{done, outstanding, verdict};
use crate::state::State;

pub(super) fn stands(state: &mut State, event: &Watching) {
    if let Some(outstanding) = outstanding(state, &event.command.server) {
        outstanding.watched = Some(event.seen.clone());
    }
}

pub(super) fn steady(state: &mut State, event: &Steady) {
    compared(state, &event.command, &event.seen);
    done(state, &event.command);
}

pub(super) fn regressed(state: &mut State, event: &Regressed) {
    compared(state, &event.command, &event.seen);
    verdict(state, &event.command, &event.failure);
}

/// What the old version did beside the new one is what the last of the new ones are held against,
/// when no old one is left; and so in the next rollout, until it has something newer to go by.
fn compared(state: &mut State, command: &CommandId, seen: &WatchSeen) {
    let enough = state
        .servers
        .get(&command.server)
        .and_then(|server| server.outstanding.as_ref())
        .is_some_and(|outstanding| match &outstanding.command.work {
            Work::Watch(watch) => seen.peers.requests >= watch.min_requests,
            Work::Fetch(_)
            | Work::Drain(_)
            | Work::Install(_)
            | Work::Check(_)
            | Work::Test(_)
            | Work::Restore(_)
            | Work::Hold(_) => false,
        });
    if enough {
        state.baseline = Some(seen.peers);
    }
}
