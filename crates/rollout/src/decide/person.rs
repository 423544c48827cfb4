//! What people want of a running rollout, and of servers set aside. A word names the rollout it
//! is about and counts once, so that a late or repeated one never hits something else.

use events::{
    AbortRequested, Event, Paused, ReleaseServer, Resumed, RetryRequested, ServerReleased, Steer,
    Timestamp, Wish,
};

use super::{Heard, Reply, queue};
use crate::rules::Rule;
use crate::state::{Aside, Phase, Rollout, State};

pub(super) fn steer(state: &State, heard: &Heard, steer: &Steer, at: Timestamp) -> Reply {
    if state.heard.contains_key(&heard.id) && state.rules.hold(Rule::WordCountsOnce) {
        return Reply::default();
    }
    let rollout = state
        .rollout
        .as_ref()
        .filter(|rollout| rollout.id() == steer.rollout);
    let Some(rollout) = rollout else {
        return queue::steer(state, steer);
    };
    match &steer.wish {
        Wish::Pause => pause(rollout, heard, steer, at),
        Wish::Resume => resume(rollout, heard, steer),
        Wish::Abort => abort(rollout, heard, steer),
        Wish::Retry => retry(rollout, heard, steer),
        Wish::Other(word) => Reply::refuse(format!(
            "`{word}` is not known here; use pause, resume, abort or retry"
        )),
    }
}

fn pause(rollout: &Rollout, heard: &Heard, steer: &Steer, at: Timestamp) -> Reply {
    if rollout.paused.is_some() {
        return Reply::default();
    }
    if rollout.phase == Phase::Back {
        return Reply::refuse("it is going back; a pause does not stop that");
    }
    Event::from(Paused {
        rollout: rollout.id(),
        by: heard.actor.clone(),
        reason: steer.reason.clone(),
        until: at.plus_ms(rollout.plan.timeouts_ms.person_wait),
    })
    .into()
}

fn resume(rollout: &Rollout, heard: &Heard, steer: &Steer) -> Reply {
    if rollout.paused.is_none() {
        return Reply::refuse("it is not paused");
    }
    Event::from(Resumed {
        rollout: rollout.id(),
        by: heard.actor.clone(),
        reason: steer.reason.clone(),
    })
    .into()
}

fn abort(rollout: &Rollout, heard: &Heard, steer: &Steer) -> Reply {
    if rollout.aborted.is_some() {
        return Reply::default();
    }
    Event::from(AbortRequested {
        rollout: rollout.id(),
        by: heard.actor.clone(),
        reason: steer.reason.clone(),
    })
    .into()
}

fn retry(rollout: &Rollout, heard: &Heard, steer: &Steer) -> Reply {
    if rollout.halted.is_none() {
        return Reply::refuse("it is not halted; only a halted rollout can be retried");
    }
    Event::from(RetryRequested {
        rollout: rollout.id(),
        by: heard.actor.clone(),
        reason: steer.reason.clone(),
    })
    .into()
}

pub(super) fn release(state: &State, heard: &Heard, release: &ReleaseServer) -> Reply {
    if state.heard.contains_key(&heard.id) && state.rules.hold(Rule::WordCountsOnce) {
        return Reply::default();
    }
    let Some(server) = state.servers.get(&release.server) else {
        return Reply::refuse(format!("{} has no server {}", state.target, release.server));
    };
    let Some(Aside::Stuck { rollout, .. } | Aside::Left { rollout, .. }) = &server.aside else {
        return Reply::refuse(format!("{} is neither stuck nor left", release.server));
    };
    if *rollout != release.since {
        return Reply::refuse(format!(
            "{} was set aside by rollout {rollout}, not by {}; look at it again",
            release.server, release.since
        ));
    }
    if state.member(&release.server).is_some() {
        return Reply::refuse(format!(
            "{} is part of the running rollout; abort that, or let it mend the server",
            release.server
        ));
    }
    Event::from(ServerReleased {
        server: release.server.clone(),
        since: release.since,
        by: heard.actor.clone(),
        reason: release.reason.clone(),
    })
    .into()
}
