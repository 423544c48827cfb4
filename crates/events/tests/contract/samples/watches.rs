//! A watch: its command, how it stands, its verdicts.

use super::base::*;
use poolshift_events::*;

pub(crate) fn work() -> Watch {
    Watch {
        peers: vec!["web2".to_owned(), "web3".to_owned()],
        for_ms: 60_000,
        longest_ms: 180_000,
        max_5xx_ppm: 10_000,
        min_requests: 200,
        if_too_few: TooFew::Pass,
        must_be_up: true,
        baseline: Some(requests(90_000, 812, 3)),
    }
}

/// Nothing to compare with.
pub(crate) fn alone() -> Watch {
    Watch {
        peers: vec![],
        if_too_few: TooFew::Fail,
        must_be_up: false,
        baseline: None,
        ..work()
    }
}

pub(crate) fn all() -> Vec<Answer> {
    vec![
        Watching {
            command: command_id("watch"),
            seen: WatchSeen::default(),
        }
        .into(),
        Steady {
            command: command_id("watch"),
            basis: Basis::Peers,
            seen: seen(41),
        }
        .into(),
        Regressed {
            command: command_id("watch"),
            failure: failure(FailedBecause::TooManyErrors),
            basis: Basis::Limit,
            seen: seen(160),
        }
        .into(),
        WatchFailed {
            command: command_id("watch"),
            failure: failure(FailedBecause::Unreachable),
            seen: seen(0),
        }
        .into(),
    ]
}

pub(crate) const fn requests(requests: u64, errors_5xx: u64, broken: u64) -> Requests {
    Requests {
        requests,
        errors_5xx,
        broken,
    }
}

fn seen(errors: u64) -> WatchSeen {
    WatchSeen {
        server: requests(3_750, errors, 1),
        peers: requests(26_250, 260, 0),
        watched_ms: 60_012,
        resets: 1,
        unread: vec![balancer()],
    }
}
