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
        response: None,
    }
}

/// Answers are timed, too.
pub(crate) fn timed() -> Watch {
    let itself = |number: u8| format!("http://10.1.0.{number}:8080");
    Watch {
        response: Some(ResponseTime {
            max_ms: 300,
            max_late_ppm: 50_000,
            min_probes: 20,
            interval_ms: 1_000,
            timeout_ms: 5_000,
            path: "/search?q=tea".to_owned(),
            status: 200,
            server: itself(1),
            peers: vec![itself(2), itself(3)],
        }),
        ..work()
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
        Steady {
            command: command_id("watch"),
            basis: Basis::Peers,
            seen: answered(2, 0),
        }
        .into(),
        Regressed {
            command: command_id("watch"),
            failure: failure(FailedBecause::TooSlow),
            basis: Basis::Peers,
            seen: answered(31, 4),
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
        response: None,
    }
}

fn answered(slow: u64, failed: u64) -> WatchSeen {
    let of = |slow, failed| Probes {
        probes: 60,
        slow,
        failed,
    };
    WatchSeen {
        response: Some(Responses {
            server: of(slow, failed),
            peers: of(1, 0),
        }),
        ..seen(41)
    }
}
