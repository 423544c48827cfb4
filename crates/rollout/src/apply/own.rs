//! Answers of agents that take servers out of work, where no load balancer is in front.

use events::{Fetched, OwnDone, OwnFailed, Timestamp, Work};

use super::answer::{broken, done as passed, said, with};
use crate::state::State;

/// What its agent saw before anything was changed. A server that is set aside is out of work,
/// whatever runs there.
pub(super) fn seen_well(state: &mut State, fetched: &Fetched) {
    let Some(is_well) = fetched.is_well else {
        return;
    };
    with(state, &fetched.command.server, |server| {
        if server.aside.is_none() {
            server.serves = Some(is_well);
        }
    });
}

pub(super) fn done(state: &mut State, event: &OwnDone) {
    let command = &event.command;
    let server = state.servers.get_mut(&command.server);
    let Some(server) = server else {
        return;
    };
    let Some(outstanding) = server.outstanding.as_mut() else {
        return;
    };
    match &outstanding.command.work {
        Work::Hold(_) => {
            outstanding.own_done = true;
            let drift = server.drift.as_deref().unwrap_or_default();
            if drift.starts_with(NOT_KEPT_OUT) {
                server.drift = None;
            }
        }
        Work::Restore(_) => {
            server.serves = Some(true);
            passed(state, command);
        }
        Work::Drain(_)
        | Work::Fetch(_)
        | Work::Install(_)
        | Work::Check(_)
        | Work::Test(_)
        | Work::Watch(_) => {
            passed(state, command);
        }
    }
}

/// What is shown of a server whose `Hold` failed.
const NOT_KEPT_OUT: &str = "not kept out of work";

/// A `Hold` that fails is shown, and asked for anew after a while: what keeps an unproven server out
/// is re-asserted, for nothing else does.
pub(super) fn failed(state: &mut State, event: &OwnFailed, at: Timestamp) {
    let command = &event.command;
    let server = state.servers.get_mut(&command.server);
    let Some(server) = server else {
        return;
    };
    if let Some(outstanding) = server.outstanding.as_mut()
        && matches!(outstanding.command.work, Work::Hold(_))
    {
        outstanding.own_done = true;
        outstanding.own_failed_at = Some(at);
        server.drift = Some(format!("{NOT_KEPT_OUT}: {}", said(command, &event.failure)));
    } else {
        broken(state, command, &event.failure);
    }
}
