//! Servers that are out, or should be.

use events::ServerName;

use super::Waiting;
use crate::issue::hold_again_at;
use crate::state::{Aside, Server, State};

/// A server that its own command does not keep out: whoever can must look at it.
pub(super) fn not_held(name: &ServerName, server: &Server) -> Option<Waiting> {
    let again = hold_again_at(server.outstanding.as_ref()?)?;
    let drift = server.drift.as_deref().unwrap_or_default();
    Some(Waiting {
        what: format!("{name} is {drift}; that command is run once more"),
        server: Some(name.clone()),
        until: Some(again),
        person: true,
    })
}

pub(super) fn set_aside(state: &State, name: &ServerName, server: &Server) -> Option<Waiting> {
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
