//! What is said of a server that is watched.

use events::{
    Answer, Basis, Command, FailedBecause, Failure, Probes, Regressed, Requests, Responses, Steady,
    WatchFailed, WatchSeen, Watching, Work,
};

/// One in a hundred, as the old version does.
pub(crate) fn steady(command: &Command, resets: u32) -> Answer {
    let (seen, basis) = seen(command, 10, resets);
    Answer::Steady(Steady {
        command: command.id.clone(),
        basis,
        seen,
    })
}

/// Three in a hundred.
pub(crate) fn regressed(command: &Command, why: &FailedBecause) -> Answer {
    let is_slow = *why == FailedBecause::TooSlow;
    let (mut seen, basis) = seen(command, if is_slow { 10 } else { 30 }, 0);
    if let Some(response) = seen.response.as_mut().filter(|_| is_slow) {
        (response.server.slow, response.server.failed) = (31, 4);
    }
    Answer::Regressed(Regressed {
        command: command.id.clone(),
        failure: Failure::new(why.clone(), "as the script says"),
        basis,
        seen,
    })
}

/// Nobody could read the counters.
pub(crate) fn unseen(command: &Command) -> Answer {
    let seen = WatchSeen {
        unread: command
            .balancers
            .iter()
            .map(|one| one.name.clone())
            .collect(),
        ..WatchSeen::default()
    };
    Answer::WatchFailed(WatchFailed {
        command: command.id.clone(),
        failure: Failure::new(FailedBecause::Unreachable, "as the script says"),
        seen,
    })
}

/// Half-way.
pub(crate) fn watching(command: &Command) -> Answer {
    let (mut seen, _) = seen(command, 1, 0);
    seen.server.requests /= 2;
    if let Some(response) = &mut seen.response {
        response.server.probes /= 2;
    }
    Answer::Watching(Watching {
        command: command.id.clone(),
        seen,
    })
}

fn seen(command: &Command, errors_5xx: u64, resets: u32) -> (WatchSeen, Basis) {
    let Work::Watch(watch) = &command.work else {
        panic!("{} is no watch", command.id);
    };
    let count = u64::try_from(watch.peers.len()).expect("a few peers");
    let basis = match (watch.peers.is_empty(), watch.baseline) {
        (false, _) => Basis::Peers,
        (true, Some(_)) => Basis::Baseline,
        (true, None) => Basis::Limit,
    };
    let of = |requests, errors_5xx| Requests {
        requests,
        errors_5xx,
        broken: 0,
    };
    let seen = WatchSeen {
        server: of(1_000, errors_5xx),
        peers: of(1_000 * count, 10 * count),
        watched_ms: watch.for_ms,
        resets,
        unread: Vec::new(),
        response: watch.response.as_ref().map(|rule| Responses {
            server: probes(true),
            peers: probes(!rule.peers.is_empty()),
        }),
    };
    (seen, basis)
}

/// One of them late, where there are any.
fn probes(any: bool) -> Probes {
    Probes {
        probes: 60 * u64::from(any),
        slow: u64::from(any),
        failed: 0,
    }
}
