//! Answers of agents that take servers out of work, where no load balancer is in front.

use events::{Fetched, OwnDone, OwnFailed, Work};

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
        Work::Hold(_) => outstanding.own_done = true,
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

/// A `Hold` that fails is a person's to judge: it is shown, and not tried for ever.
pub(super) fn failed(state: &mut State, event: &OwnFailed) {
    let command = &event.command;
    let server = state.servers.get_mut(&command.server);
    let Some(server) = server else {
        return;
    };
    if let Some(outstanding) = server.outstanding.as_mut()
        && matches!(outstanding.command.work, Work::Hold(_))
    {
        outstanding.own_done = true;
        server.drift = Some(format!(
            "not kept out of work: {}",
            said(command, &event.failure)
        ));
    } else {
        broken(state, command, &event.failure);
    }
}
