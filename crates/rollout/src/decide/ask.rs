//! Catalogue entries, and what people say that servers run.

use events::{Adopt, Adopted, DefineService, Digest, Event, ServiceDefined, sha256};

use super::{Heard, Reply};
use crate::catalogue::{self, Entry, ServerRule};
use crate::state::{Aside, State};

pub(super) fn define(state: &State, heard: &Heard, define: &DefineService) -> Reply {
    if state.heard.contains_key(&heard.id) {
        return Reply::default();
    }
    let digest = sha256(define.entry.as_bytes());
    if state.entry_sha256 == Some(digest) {
        return Reply::default();
    }
    match catalogue::entry_of(&define.entry, &state.target) {
        Ok(entry) => match moves_a_member(state, &entry) {
            Some(why) => Reply::refuse(why),
            None => defined(heard, define, digest),
        },
        Err(problems) => Reply::refuse(problems.to_string()),
    }
}

fn defined(heard: &Heard, define: &DefineService, sha256: Digest) -> Reply {
    Event::from(ServiceDefined {
        entry: define.entry.clone(),
        sha256,
        by: heard.actor.clone(),
    })
    .into()
}

/// Where a server stands is not changed while a rollout moves it: one balancer would not know. One
/// that the rollout has not touched may change its machine; it is then excluded.
fn moves_a_member(state: &State, entry: &Entry) -> Option<String> {
    let rollout = state.rollout.as_ref()?;
    let moved = |rule: &&ServerRule| {
        let member = rollout.members.get(&rule.name);
        let both = state.servers.get(&rule.name).zip(member);
        both.is_some_and(|(server, member)| {
            let free = !member.touched && !member.out && !member.stage.is_moving();
            (server.machine != rule.machine && !free)
                || server.own != entry.own_of(&rule.name)
                || server.balancers != entry.balancers
                || server.online != entry.online
                || server.maintenance != entry.maintenance
        })
    };
    let server = entry.servers.iter().find(moved)?;
    Some(format!(
        "it changes the machine, balancers or pools of {}, which rollout {} moves; apply it when \
         that is over",
        server.name,
        rollout.id()
    ))
}

pub(super) fn adopt(state: &State, heard: &Heard, adopt: &Adopt) -> Reply {
    if state.heard.contains_key(&heard.id) {
        return Reply::default();
    }
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
