//! Servers that leave a rollout on its way, and servers that join it. What a plan froze stays as it
//! is; which of its servers are still there is judged live.

use events::{
    Event, ExcludeServer, ExcludedBecause, PlannedServer, ServerExcluded, ServerJoined, ServerName,
    Timestamp,
};

use super::{Heard, Reply};
use crate::catalogue::{Late, NoWayBack, ServerRule};
use crate::rules::Rule;
use crate::state::{Member, Phase, Rollout, Server, Stage, State};
use crate::step::{Step, Way};

/// A person takes a server out of the running rollout.
pub(super) fn exclude(state: &State, heard: &Heard, ask: &ExcludeServer) -> Reply {
    if state.heard.contains_key(&heard.id) && state.rules.hold(Rule::WordCountsOnce) {
        return Reply::default();
    }
    let running = state.rollout.as_deref();
    let Some(rollout) = running.filter(|rollout| rollout.id() == ask.rollout) else {
        return Reply::refuse(format!(
            "rollout {} does not run on {}",
            ask.rollout, state.target
        ));
    };
    let server = &ask.server;
    let Some(member) = rollout.members.get(server) else {
        return Reply::refuse(format!("{server} is no part of this rollout"));
    };
    if member.stage == Stage::Excluded {
        return Reply::default();
    }
    if rollout.phase == Phase::Back {
        return Reply::refuse("it is going back; wait for its end, then `release` what is stuck");
    }
    if member.stage == Stage::Done {
        return Reply::refuse(format!("{server} runs the new version already"));
    }
    if !may_leave(member) && member.stage != Stage::Failed {
        return Reply::refuse(format!(
            "{server} is on its way; wait until it is back or has failed, or abort"
        ));
    }
    Event::from(ServerExcluded {
        rollout: rollout.id(),
        server: server.clone(),
        why: ExcludedBecause::ByPerson,
        by: Some(heard.actor.clone()),
        reason: Some(ask.reason.clone()),
    })
    .into()
}

/// Nothing of it was touched: it is as it was before the rollout.
fn may_leave(member: &Member) -> bool {
    matches!(
        member.stage,
        Stage::Waiting | Stage::At(Way::Forward, Step::Fetch)
    ) || (member.stage == Stage::Failed && !member.touched && !member.out)
}

/// Servers that the catalogue does not have any more, or has elsewhere, take no part unless they
/// are on their way. One that is unproven is not forgotten so: somebody must mend or release it.
pub(super) fn exclude_gone(state: &State, _at: Timestamp) -> Vec<Event> {
    let Some(rollout) = state.rollout.as_deref() else {
        return Vec::new();
    };
    if rollout.phase != Phase::Forward {
        return Vec::new();
    }
    let untouched = rollout
        .members
        .iter()
        .filter(|(_, member)| may_leave(member));
    untouched
        .filter_map(|(name, _)| {
            let (why, reason) = left(rollout, name, state.servers.get(name))?;
            let excluded = ServerExcluded {
                rollout: rollout.id(),
                server: name.clone(),
                why,
                by: None,
                reason,
            };
            Some(excluded.into())
        })
        .collect()
}

fn left(
    rollout: &Rollout,
    name: &ServerName,
    server: Option<&Server>,
) -> Option<(ExcludedBecause, Option<String>)> {
    let Some(server) = server else {
        return Some((ExcludedBecause::Gone, None));
    };
    if server.unproven {
        return None;
    }
    if !server.in_catalogue {
        return Some((ExcludedBecause::Gone, None));
    }
    let planned = rollout.planned(name)?;
    moved(planned, server).then(|| {
        let reason = format!(
            "planned at {} on {}, now at {} on {}",
            planned.address, planned.machine, server.address, server.machine
        );
        (ExcludedBecause::Changed, Some(reason))
    })
}

/// Whether the catalogue has it elsewhere than the plan.
fn moved(planned: &PlannedServer, server: &Server) -> bool {
    planned.machine != server.machine || planned.address != server.address
}

/// Servers that do not run the new version where the catalogue has them now: taken out of the
/// rollout, added since and not let in, or moved after their turn.
pub(super) fn except(state: &State, rollout: &Rollout) -> Vec<ServerName> {
    let members = rollout.members.iter().filter(|(name, member)| {
        let server = state
            .servers
            .get(*name)
            .filter(|server| server.in_catalogue);
        let planned = rollout.planned(name);
        member.stage == Stage::Excluded
            || server
                .zip(planned)
                .is_some_and(|(server, planned)| moved(planned, server))
    });
    let added = added(state, rollout).map(|(name, _)| name);
    members
        .map(|(name, _)| name)
        .chain(added)
        .cloned()
        .collect()
}

/// Servers that the catalogue got since, where the plan lets them join: behind all others.
pub(super) fn join_late(state: &State, _at: Timestamp) -> Vec<Event> {
    let Some(rollout) = state.rollout.as_deref() else {
        return Vec::new();
    };
    let goes_on = rollout.phase == Phase::Forward && rollout.aborted.is_none();
    if rollout.entry.rollout.late != Late::Join || !goes_on {
        return Vec::new();
    }
    added(state, rollout)
        .filter_map(|(name, server)| {
            let planned = joiner(state, rollout, name, server)?;
            let joined = ServerJoined {
                rollout: rollout.id(),
                planned,
            };
            Some(joined.into())
        })
        .collect()
}

/// Servers of the catalogue that the plan does not have.
fn added<'a>(
    state: &'a State,
    rollout: &'a Rollout,
) -> impl Iterator<Item = (&'a ServerName, &'a Server)> {
    state
        .servers
        .iter()
        .filter(|(name, server)| server.in_catalogue && !rollout.members.contains_key(name))
}

/// As the plan would have it, unless the plan could not have it: it is installed otherwise than
/// the frozen entry knows, it is out already, or it has no way back where one is asked for.
fn joiner(
    state: &State,
    rollout: &Rollout,
    name: &ServerName,
    server: &Server,
) -> Option<PlannedServer> {
    let entry = &rollout.entry;
    let now = state.entry.as_deref()?;
    let as_planned = now.install.on(name) == entry.install.on(name)
        && now.balancers == entry.balancers
        && now.online == entry.online
        && now.maintenance == entry.maintenance;
    let has_way_back = server.proven.is_some() || entry.rollout.no_way_back == NoWayBack::Allow;
    let in_order = !server.unproven && server.aside.is_none();
    (as_planned && has_way_back && in_order).then(|| {
        let rule = ServerRule {
            name: name.clone(),
            machine: server.machine.clone(),
            address: server.address.clone(),
        };
        crate::plan::planned(&rule, Some(server), entry)
    })
}
