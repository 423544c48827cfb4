//! What workers' answers make of the state.

use events::{
    Answer, CommandId, CommandQueued, CommandRefused, Drained, FailedBecause, Failure, Pool,
    PoolSeen, RefusedBecause, Release, Restored, RolloutId, RolloutRef, ServerName, StepTimedOut,
    Strayed, Timestamp,
};

use super::{member, own, service, watch};
use crate::rules::Rule;
use crate::state::{Aside, Server, State};

pub(super) fn answer(state: &mut State, answer: &Answer, at: Timestamp) {
    match answer {
        Answer::CommandStarted(a) => started(state, &a.command.server, at),
        Answer::CommandQueued(a) => queued(state, a, at),
        Answer::CommandRefused(a) => refused(state, a),
        Answer::Fetched(a) => {
            own::seen_well(state, a);
            done(state, &a.command);
        }
        Answer::OwnDone(a) => own::done(state, a),
        Answer::OwnFailed(a) => own::failed(state, a, at),
        Answer::FetchFailed(a) => broken(state, &a.command, &a.failure),
        Answer::Drained(a) => drained(state, a),
        Answer::DrainRefused(a) => {
            let why = format!("{}: only {} UP, the floor is {}", a.balancer, a.up, a.floor);
            over(state, &a.command);
            member::refused(state, &a.command.server, &why);
        }
        Answer::DrainFailed(a) => broken(state, &a.command, &a.failure),
        Answer::Held(a) => {
            if let Some(outstanding) = outstanding(state, &a.command.server) {
                outstanding.answered.insert(a.balancer.clone());
            }
        }
        Answer::Installed(a) => {
            if let Some(server) = state.servers.get_mut(&a.command.server) {
                let release = Release {
                    version: a.version.clone(),
                    sha256: a.sha256_runs,
                };
                server.runs = Some(release.clone());
                server.installed = Some(release);
            }
            done(state, &a.command);
        }
        Answer::InstallFailed(a) => broken(state, &a.command, &a.failure),
        Answer::Healthy(a) => done(state, &a.command),
        Answer::Unhealthy(a) => verdict(state, &a.command, &a.failure),
        Answer::TestsPassed(a) => done(state, &a.command),
        Answer::TestsFailed(a) => tests_failed(state, &a.command, &a.failure),
        Answer::Restored(a) => restored(state, a),
        Answer::RestoreFailed(a) => broken(state, &a.command, &a.failure),
        Answer::Watching(a) => watch::stands(state, a),
        Answer::Steady(a) => watch::steady(state, a),
        Answer::Regressed(a) => watch::regressed(state, a),
        Answer::WatchFailed(a) => broken(state, &a.command, &a.failure),
        Answer::Strayed(a) => strayed(state, a),
        Answer::HoldBroken(a) => {
            if let Some(rollout) = &mut state.rollout {
                rollout.held_out_requests += a.requests;
            }
        }
        Answer::DriftSeen(a) => {
            with(state, &a.server, |server| {
                server.drift = Some(a.found.clone());
            });
        }
        Answer::PoolSeen(a) => pool_seen(state, a),
        Answer::AgentSeen(a) => {
            for seen in &a.servers {
                with(state, &seen.server, |server| {
                    server.runs.clone_from(&seen.release);
                });
            }
        }
    }
}

fn pool_seen(state: &mut State, seen: &PoolSeen) {
    for one in &seen.servers {
        let place = (one.pool.clone(), one.up);
        let by_person = one.pool == Pool::ByPerson;
        with(state, &one.server, |server| {
            server.pools.insert(seen.balancer.clone(), place);
            if !by_person {
                server.drift = None;
            }
        });
    }
}

pub(super) fn with(state: &mut State, name: &ServerName, change: impl FnOnce(&mut Server)) {
    if let Some(server) = state.servers.get_mut(name) {
        change(server);
    }
}

pub(super) fn outstanding<'a>(
    state: &'a mut State,
    name: &ServerName,
) -> Option<&'a mut crate::state::Outstanding> {
    state.servers.get_mut(name)?.outstanding.as_mut()
}

fn started(state: &mut State, name: &ServerName, at: Timestamp) {
    if let Some(outstanding) = outstanding(state, name) {
        outstanding.started = true;
        outstanding.since = at;
    }
}

/// Its machine has other work: its time to begin starts anew behind that.
fn queued(state: &mut State, event: &CommandQueued, at: Timestamp) {
    let rollout = state.rollout.as_ref();
    let Some(start_within_ms) = rollout.map(|rollout| rollout.plan.timeouts_ms.start_within) else {
        return;
    };
    if let Some(outstanding) = outstanding(state, &event.command.server) {
        outstanding.queue(event, start_within_ms, at);
    }
}

/// The command is over: nothing is outstanding.
fn over(state: &mut State, command: &CommandId) {
    with(state, &command.server, service::idle);
}

/// The command is done.
pub(super) fn done(state: &mut State, command: &CommandId) {
    over(state, command);
    if command.rollout == RolloutRef::Repair {
        with(state, &command.server, |server| server.aside = None);
    } else {
        member::passed(state, &command.server);
    }
}

/// One balancer has done it; the step is done with the last.
fn by_balancer(state: &mut State, command: &CommandId, balancer: &events::BalancerName) {
    let all_needed = state.rules.hold(Rule::AllBalancersAnswer);
    let Some(outstanding) = outstanding(state, &command.server) else {
        return;
    };
    outstanding.answered.insert(balancer.clone());
    let answered = &outstanding.answered;
    let all = outstanding
        .command
        .balancers
        .iter()
        .all(|known| answered.contains(&known.name));
    if all || !all_needed {
        done(state, command);
    }
}

fn drained(state: &mut State, drained: &Drained) {
    with(state, &drained.command.server, |server| {
        let place = (Pool::Maintenance, false);
        server.pools.insert(drained.balancer.clone(), place);
    });
    if let Some((_, rollout)) = member::of(state, &drained.command.server) {
        let least = rollout.least_up.unwrap_or(u32::MAX).min(drained.up_after);
        rollout.least_up = Some(least);
        rollout.cut += drained.cut;
        if let Some(member) = rollout.members.get_mut(&drained.command.server) {
            member.was_up &= drained.was_up && !drained.by_person;
        }
    }
    by_balancer(state, &drained.command, &drained.balancer);
}

/// A server is out by a mark with nothing outstanding. When this log never issued the command of
/// that mark, it was restored from a backup, and nobody knows what was installed since: the server
/// counts as unproven, until a rollout proves it or a person lets it go.
fn strayed(state: &mut State, strayed: &Strayed) {
    let lost = match strayed.mark.rollout {
        RolloutRef::Rollout(rollout) if !issued(state, rollout, &strayed.mark) => Some(rollout),
        RolloutRef::Rollout(_) | RolloutRef::Repair => None,
    };
    with(state, &strayed.server, |server| match lost {
        None => server.strayed = true,
        Some(rollout) => {
            server.unproven = true;
            server.aside = Some(Aside::Stuck {
                rollout,
                reason: format!(
                    "{} has it out by {}, of which this log knows nothing",
                    strayed.balancer, strayed.mark
                ),
            });
        }
    });
}

/// Whether this log issued that command. Rollouts older than 30 days are not known any more, but
/// for the one that set the server aside.
fn issued(state: &State, rollout: RolloutId, command: &CommandId) -> bool {
    let server = state.servers.get(&command.server);
    let runs = state.rollout.as_ref().map(|running| running.id());
    if runs == Some(rollout) {
        let issued = server.and_then(|server| server.attempts.get(&command.step));
        return issued.is_some_and(|issued| *issued >= command.attempt);
    }
    let set_aside = server.and_then(|server| server.aside.as_ref());
    let by_it = set_aside.is_some_and(|aside| match aside {
        Aside::Stuck { rollout: by, .. } | Aside::Left { rollout: by, .. } => *by == rollout,
    });
    let waits = state
        .queue
        .iter()
        .any(|request| request.asked.rollout == rollout);
    by_it || (state.known.contains_key(&rollout) && !waits)
}

/// A server that is seen UP again counts as that at once: pools are reported once a second at most,
/// and until then the next batch would be smaller than planned.
fn restored(state: &mut State, restored: &Restored) {
    if restored.up {
        with(state, &restored.command.server, |server| {
            let place = (Pool::Online, true);
            server.pools.insert(restored.balancer.clone(), place);
        });
    }
    by_balancer(state, &restored.command, &restored.balancer);
}

/// A failure that is no verdict.
pub(super) fn broken(state: &mut State, command: &CommandId, failure: &Failure) {
    over(state, command);
    if command.rollout == RolloutRef::Repair {
        left(state, command, failure);
    } else {
        member::interrupted(state, &command.server, &said(command, failure));
    }
}

/// A verdict is final.
pub(super) fn verdict(state: &mut State, command: &CommandId, failure: &Failure) {
    over(state, command);
    member::failed(state, &command.server, &said(command, failure));
}

fn tests_failed(state: &mut State, command: &CommandId, failure: &Failure) {
    match failure.reason {
        FailedBecause::Interrupted | FailedBecause::TimedOut => broken(state, command, failure),
        FailedBecause::WrongDigest
        | FailedBecause::TooLarge
        | FailedBecause::DiskFull
        | FailedBecause::Unreachable
        | FailedBecause::BadArchive
        | FailedBecause::ProgramFailed
        | FailedBecause::WrongVersion
        | FailedBecause::WrongServer
        | FailedBecause::NoResults
        | FailedBecause::CasesFailed
        | FailedBecause::StillBusy
        | FailedBecause::NotObeyed
        | FailedBecause::StateNotSaved
        | FailedBecause::TooManyErrors
        | FailedBecause::NotUp
        | FailedBecause::TooFewRequests
        | FailedBecause::TooSlow
        | FailedBecause::Other(_) => verdict(state, command, failure),
    }
}

pub(super) fn said(command: &CommandId, failure: &Failure) -> String {
    format!("{}: {} ({})", command.step, failure.reason, failure.detail)
}

/// A proven server that could not be put back is shown, not held.
fn left(state: &mut State, command: &CommandId, failure: &Failure) {
    let reason = said(command, failure);
    with(state, &command.server, |server| {
        if let Some(Aside::Left { reason: old, .. }) = &mut server.aside {
            *old = reason;
        }
    });
}

/// A worker does not obey. When it knows a higher fence, the log is behind the fleet (it was
/// restored from a backup): the fold goes on above that fence, and commands anew.
fn refused(state: &mut State, refused: &CommandRefused) {
    let command = &refused.command;
    let why = format!("{}: refused as {}", command.step, refused.reason);
    if refused.reason != RefusedBecause::Stale {
        over(state, command);
        if command.rollout != RolloutRef::Repair {
            member::interrupted(state, &command.server, &why);
        }
        return;
    }
    let outstanding = outstanding(state, &command.server);
    let fence = outstanding.map(|outstanding| outstanding.command.fence());
    if fence.is_some_and(|fence| refused.highest <= fence) {
        // It knows nothing higher, so a command above will not help: a try like any other.
        over(state, command);
        if command.rollout != RolloutRef::Repair {
            member::interrupted(state, &command.server, &why);
        }
        return;
    }
    if refused.highest.epoch > state.epoch {
        state.epoch_seen = state.epoch_seen.max(Some(refused.highest.epoch));
    }
    with(state, &command.server, |server| {
        server.seq = server.seq.max(refused.highest.seq);
        service::idle(server);
    });
    member::redirect(state, &command.server);
}

/// No answer in time.
pub(super) fn timed_out(state: &mut State, event: &StepTimedOut) {
    let command = &event.command;
    let silent: Vec<&str> = event
        .silent
        .iter()
        .map(events::BalancerName::as_str)
        .collect();
    let whom = if silent.is_empty() {
        String::new()
    } else {
        format!(" by {}", silent.join(", "))
    };
    let what = if event.started {
        "not ended"
    } else {
        "not answered"
    };
    over(state, command);
    if command.rollout != RolloutRef::Repair {
        member::interrupted(
            state,
            &command.server,
            &format!("{}: {what}{whom} in time", command.step),
        );
    }
}
