//! What each server's worker must make true now: the one outstanding command, or nothing.

use events::{CommandRecord, Idle, ServerName};

use crate::state::{Server, State};

/// The record of one server.
#[must_use]
pub fn record(state: &State, name: &ServerName, server: &Server) -> CommandRecord {
    match &server.outstanding {
        Some(outstanding) => CommandRecord::Command(Box::new(outstanding.command.as_ref().clone())),
        None => CommandRecord::Idle(Idle {
            target: state.target.clone(),
            server: name.clone(),
            machine: server.machine.clone(),
            epoch: state.epoch,
            seq: server.seq,
            balancers: server.balancers.clone(),
            online: server.online.clone(),
            maintenance: server.maintenance.clone(),
            line: name.to_string(),
        }),
    }
}

/// The records of all servers, by server name. A new owner publishes every one of them anew.
#[must_use]
pub fn records(state: &State) -> Vec<CommandRecord> {
    state
        .servers
        .iter()
        .map(|(name, server)| record(state, name, server))
        .collect()
}
