//! What a server that is back is watched beside.

use events::{Requests, ServerName, Watch};

use crate::catalogue::WatchRule;
use crate::state::{Member, Rollout, Server, Stage, State};

/// The work of a watch. It is planned; but what the old version did is known better now, when
/// servers of an earlier batch have been watched beside it.
pub(super) fn work(state: &State, rollout: &Rollout, rule: &WatchRule, member: &Member) -> Watch {
    Watch {
        peers: peers(state, rollout).map(ServerName::to_string).collect(),
        for_ms: rule.for_ms,
        longest_ms: rule.longest_ms,
        max_5xx_ppm: rule.max_5xx_ppm,
        min_requests: u64::from(rule.min_requests),
        if_too_few: rule.if_too_few.clone(),
        must_be_up: member.was_up,
        baseline: baseline(state, rollout, rule),
    }
}

/// Servers that the rollout has not touched, and that customers reach now.
fn peers<'a>(state: &'a State, rollout: &'a Rollout) -> impl Iterator<Item = &'a ServerName> {
    let untouched = |name: &ServerName| {
        rollout
            .members
            .get(name)
            .is_some_and(|member| matches!(member.stage, Stage::Waiting | Stage::Excluded))
    };
    let serves = |server: &Server| server.in_catalogue && server.is_up();
    let servers = state.servers.iter();
    servers
        .filter(move |(name, server)| untouched(name) && serves(server))
        .map(|(name, _)| name)
}

fn baseline(state: &State, rollout: &Rollout, rule: &WatchRule) -> Option<Requests> {
    state
        .baseline
        .or(rollout.plan.baseline)
        .filter(|known| known.requests >= u64::from(rule.min_requests))
}
