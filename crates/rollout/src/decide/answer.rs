//! Answers of workers: each counts once, for the very command that is outstanding.

use events::{
    Answer, BalancerName, Command, CommandId, FailedBecause, Failure, Fence, InstallFailed,
    Installed, Release, Work,
};

use super::Reply;
use crate::rules::Rule;
use crate::state::{Aside, Outstanding, Server, Stage, State};

pub(super) fn answer(state: &State, answer: &Answer) -> Reply {
    match answer.command() {
        Some(command) => to_command(state, answer, command),
        None => seen(state, answer),
    }
}

fn to_command(state: &State, answer: &Answer, command: &CommandId) -> Reply {
    let outstanding = state
        .servers
        .get(&command.server)
        .and_then(|server| server.outstanding.as_ref());
    let Some(outstanding) = outstanding else {
        return Reply::default();
    };
    let named = outstanding.command.id == *command || !state.rules.hold(Rule::AnswerNamesCommand);
    if !named || !fits(outstanding, answer) {
        return Reply::default();
    }
    events::Event::Answer(judged(&outstanding.command, answer)).into()
}

/// Whether this answer belongs to that kind of work and was not given before.
fn fits(outstanding: &Outstanding, answer: &Answer) -> bool {
    let work = &outstanding.command.work;
    let by_agent = outstanding.command.worker() == events::Worker::Agent;
    let from_new = |balancer: &BalancerName| {
        !outstanding.answered.contains(balancer)
            && outstanding
                .command
                .balancers
                .iter()
                .any(|known| known.name == *balancer)
    };
    match answer {
        Answer::CommandStarted(_) => !outstanding.started && by_agent,
        Answer::CommandQueued(a) => by_agent && outstanding.may_queue(a),
        Answer::OwnDone(_) | Answer::OwnFailed(_) => {
            outstanding.command.own.is_some() && !outstanding.own_done
        }
        Answer::CommandRefused(a) => is_possible(a.highest),
        Answer::Fetched(_) | Answer::FetchFailed(_) => matches!(work, Work::Fetch(_)),
        Answer::Drained(a) => matches!(work, Work::Drain(_)) && from_new(&a.balancer),
        Answer::DrainRefused(a) => matches!(work, Work::Drain(_)) && from_new(&a.balancer),
        Answer::DrainFailed(a) => matches!(work, Work::Drain(_)) && from_new(&a.balancer),
        Answer::Held(a) => matches!(work, Work::Hold(_)) && from_new(&a.balancer),
        Answer::Installed(_) | Answer::InstallFailed(_) => matches!(work, Work::Install(_)),
        Answer::Healthy(_) | Answer::Unhealthy(_) => matches!(work, Work::Check(_)),
        Answer::TestsPassed(_) | Answer::TestsFailed(_) => matches!(work, Work::Test(_)),
        Answer::Restored(a) => matches!(work, Work::Restore(_)) && from_new(&a.balancer),
        Answer::RestoreFailed(a) => matches!(work, Work::Restore(_)) && from_new(&a.balancer),
        Answer::Watching(_) | Answer::Steady(_) | Answer::Regressed(_) | Answer::WatchFailed(_) => {
            matches!(work, Work::Watch(_))
        }
        Answer::Strayed(_)
        | Answer::HoldBroken(_)
        | Answer::DriftSeen(_)
        | Answer::PoolSeen(_)
        | Answer::AgentSeen(_) => false,
    }
}

/// No owner ever hands out numbers as high as this; folding one would leave no number above it.
const FENCE_MAX: u64 = 1 << 53;

const fn is_possible(fence: Fence) -> bool {
    fence.epoch < FENCE_MAX && fence.seq < FENCE_MAX
}

/// A proof of something else than what was asked for is no success.
fn judged(command: &Command, answer: &Answer) -> Answer {
    let (Answer::Installed(installed), Work::Install(install)) = (answer, &command.work) else {
        return answer.clone();
    };
    let asked = Release {
        version: install.version.clone(),
        sha256: install.artifact.sha256,
    };
    if proved(installed) == asked {
        return answer.clone();
    }
    let detail = format!(
        "{} ({}) runs, {} ({}) was asked for",
        installed.version,
        installed.sha256_runs.short(),
        asked.version,
        asked.sha256.short()
    );
    Answer::InstallFailed(InstallFailed {
        command: installed.command.clone(),
        failure: Failure::new(FailedBecause::WrongVersion, &detail),
        output: installed.output.clone(),
    })
}

fn proved(installed: &Installed) -> Release {
    Release {
        version: installed.version.clone(),
        sha256: installed.sha256_runs,
    }
}

/// What a worker saw: recorded when it changes what is known.
fn seen(state: &State, answer: &Answer) -> Reply {
    if changes(state, answer) {
        events::Event::Answer(answer.clone()).into()
    } else {
        Reply::default()
    }
}

fn changes(state: &State, answer: &Answer) -> bool {
    match answer {
        Answer::Strayed(a) => state
            .servers
            .get(&a.server)
            .is_some_and(|server| may_repair(state, &a.server, server)),
        Answer::HoldBroken(a) => state.servers.contains_key(&a.server),
        Answer::DriftSeen(a) => state
            .servers
            .get(&a.server)
            .is_some_and(|server| server.drift.as_ref() != Some(&a.found)),
        Answer::PoolSeen(a) => a.servers.iter().any(|seen| {
            state.servers.get(&seen.server).is_some_and(|server| {
                server.pools.get(&a.balancer) != Some(&(seen.pool.clone(), seen.up))
            })
        }),
        Answer::AgentSeen(a) => a.servers.iter().any(|seen| {
            state
                .servers
                .get(&seen.server)
                .is_some_and(|server| server.runs != seen.release)
        }),
        Answer::CommandStarted(_)
        | Answer::CommandQueued(_)
        | Answer::OwnDone(_)
        | Answer::OwnFailed(_)
        | Answer::CommandRefused(_)
        | Answer::Fetched(_)
        | Answer::FetchFailed(_)
        | Answer::Drained(_)
        | Answer::DrainRefused(_)
        | Answer::DrainFailed(_)
        | Answer::Held(_)
        | Answer::Installed(_)
        | Answer::InstallFailed(_)
        | Answer::Healthy(_)
        | Answer::Unhealthy(_)
        | Answer::TestsPassed(_)
        | Answer::TestsFailed(_)
        | Answer::Restored(_)
        | Answer::RestoreFailed(_)
        | Answer::Watching(_)
        | Answer::Steady(_)
        | Answer::Regressed(_)
        | Answer::WatchFailed(_) => false,
    }
}

/// A server may be put back outside a rollout when it is proven, nothing is outstanding, and no
/// rollout has it out.
fn may_repair(state: &State, name: &events::ServerName, server: &Server) -> bool {
    let free = state.member(name).is_none_or(|member| {
        !member.stage.is_moving() && !member.out && member.stage != Stage::Failed
    });
    let stuck = matches!(server.aside, Some(Aside::Stuck { .. }));
    state.rules.hold(Rule::StrayIsRepaired)
        && free
        && !stuck
        && !server.unproven
        && !server.strayed
        && server.outstanding.is_none()
}
