//! Catalogue entries, and what people say that servers run.

use events::{Adopt, Adopted, DefineService, Event, ServiceDefined, sha256};

use super::{Heard, Reply};
use crate::catalogue;
use crate::state::{Aside, State};

pub(super) fn define(state: &State, heard: &Heard, define: &DefineService) -> Reply {
    let digest = sha256(define.entry.as_bytes());
    if state.entry_sha256 == Some(digest) {
        return Reply::default();
    }
    match catalogue::entry_of(&define.entry, &state.target) {
        Ok(_) => Event::from(ServiceDefined {
            entry: define.entry.clone(),
            sha256: digest,
            by: heard.actor.clone(),
        })
        .into(),
        Err(problems) => Reply::refuse(problems.to_string()),
    }
}

pub(super) fn adopt(state: &State, heard: &Heard, adopt: &Adopt) -> Reply {
    let Some(server) = state.servers.get(&adopt.server) else {
        return Reply::refuse(format!("{} has no server {}", state.target, adopt.server));
    };
    if matches!(server.aside, Some(Aside::Stuck { .. })) {
        return Reply::refuse(format!(
            "{} is stuck; look at it, put it right, `poolshift release` it, then adopt it",
            adopt.server
        ));
    }
    if state.member(&adopt.server).is_some() {
        return Reply::refuse(format!("{} is part of the running rollout", adopt.server));
    }
    if server.proven.as_ref() == Some(&adopt.release) && !server.unproven {
        return Reply::default();
    }
    Event::from(Adopted {
        server: adopt.server.clone(),
        release: adopt.release.clone(),
        by: heard.actor.clone(),
    })
    .into()
}
