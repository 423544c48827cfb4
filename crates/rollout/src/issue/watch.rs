//! What a server that is back is watched beside.

use events::{Requests, ResponseTime, ServerName, Watch};

use crate::catalogue::{Entry, ServerRule, WatchRule, defaults as default, http};
use crate::state::{Member, Rollout, Server, Stage, State};

/// The work of a watch. It is planned; but what the old version did is known better now, when
/// servers of an earlier batch have been watched beside it.
pub(super) fn work(
    state: &State,
    rollout: &Rollout,
    rule: &WatchRule,
    (member, server): (&Member, &ServerRule),
) -> Watch {
    let peers: Vec<&ServerName> = peers(state, rollout).collect();
    Watch {
        response: response(rollout, rule, server, &peers),
        peers: peers.into_iter().map(ServerName::to_string).collect(),
        for_ms: rule.for_ms,
        longest_ms: rule.longest_ms,
        max_5xx_ppm: rule.max_5xx_ppm,
        min_requests: u64::from(rule.min_requests),
        if_too_few: rule.if_too_few.clone(),
        must_be_up: member.was_up,
        baseline: baseline(state, rollout, rule),
    }
}

fn response(
    rollout: &Rollout,
    rule: &WatchRule,
    server: &ServerRule,
    peers: &[&ServerName],
) -> Option<ResponseTime> {
    let peers = peers.iter().filter_map(|name| rollout.planned(name));
    let peers = peers.map(|planned| itself(&planned.address));
    Some(ResponseTime {
        peers: peers.take(default::RESPONSE_PEERS_MOST).collect(),
        ..response_time(&rollout.entry, rule, server)?
    })
}

/// How long answers of a server may take, without peers; none: the service does not say. The pace
/// is the check's, as long as that makes probes enough and not too many.
#[must_use]
pub fn response_time(entry: &Entry, rule: &WatchRule, server: &ServerRule) -> Option<ResponseTime> {
    let response = rule.response.as_ref()?;
    let check = &entry.check;
    let (path, status) = match &response.path {
        Some(path) => (path.as_str(), default::CHECK_STATUS),
        None => http(check)?,
    };
    let shortest_ms = rule.for_ms / default::RESPONSE_PROBES_MOST;
    let longest_ms = rule.for_ms / default::RESPONSE_PROBES_LEAST;
    let interval_ms = check.interval_ms.clamp(shortest_ms, longest_ms);
    Some(ResponseTime {
        max_ms: response.max_ms,
        max_late_ppm: default::RESPONSE_MAX_LATE_PPM,
        min_probes: default::RESPONSE_MIN_PROBES,
        interval_ms: interval_ms.max(default::SHORTEST_PACE_MS),
        timeout_ms: check.probe_timeout_ms,
        path: path.to_owned(),
        status,
        server: itself(&server.address),
        peers: Vec::new(),
    })
}

fn itself(address: &str) -> String {
    format!("http://{address}")
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
