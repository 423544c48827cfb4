//! What a watch makes of response times: the real verdict over simulated probes, in virtual time.

use std::time::{Duration, Instant};

use crate::virtual_time::{Manner, Shop, timed};
use events::{Basis, FailedBecause, ResponseTime, TooFew, Watch};
use poolshift_health_checker::{Reply, Verdict};

const FAST: Reply = Reply::Good(40);
const SLOW: Reply = Reply::Good(900);

fn shop(seed: u64, manner: Manner) -> Shop {
    Shop::new(seed, 500, 8).answering(manner)
}

/// Two in a hundred are slow as ever, by dice.
fn usual(roll: u64) -> Reply {
    if roll < 20_000 { SLOW } else { FAST }
}

/// Nobody else there to be held against.
fn alone() -> Watch {
    let watch = timed();
    let response = watch.response.map(|rule| ResponseTime {
        peers: vec![],
        ..rule
    });
    Watch {
        peers: vec![],
        response,
        ..watch
    }
}

fn too_slow(verdict: Verdict) -> (Basis, String) {
    let Verdict::Regressed(basis, failure) = verdict else {
        panic!("{verdict:?}");
    };
    assert_eq!(failure.reason, FailedBecause::TooSlow);
    (basis, failure.detail)
}

#[test]
fn a_healthy_canary_is_never_too_slow_though_two_answers_in_a_hundred_are_as_always() {
    for seed in 0..50 {
        let begun = Instant::now();
        for watch in [timed(), alone()] {
            let verdict = shop(seed, |_, _, roll| usual(roll)).watch(&watch);
            assert!(matches!(verdict, Verdict::Steady(_)), "{seed}: {verdict:?}");
        }
        assert!(begun.elapsed() < Duration::from_millis(400), "seed {seed}");
    }
}

#[test]
fn a_canary_that_is_slow_in_six_of_ten_answers_is_always_caught() {
    for seed in 0..50 {
        let mut shop = shop(seed, |server, _, roll| match server {
            0 if roll < 600_000 => SLOW,
            _ => usual(roll),
        });
        let (basis, _) = too_slow(shop.watch(&timed()));
        assert_eq!(basis, Basis::Peers);
        let seen = shop.seen().response.unwrap();
        assert_eq!(seen.server.probes, seen.peers.probes);
        assert!(seen.server.slow > 5 * seen.peers.slow, "{seen:?}");
    }
}

#[test]
fn one_that_is_always_slow_is_caught_long_before_the_end_and_the_text_says_what_a_person_wants_to_know()
 {
    let mut shop = shop(1, |server, _, _| if server == 0 { SLOW } else { FAST });
    let (_, detail) = too_slow(shop.watch(&timed()));
    assert!(shop.elapsed_ms <= 20_000, "{} ms", shop.elapsed_ms);
    assert_eq!(
        detail,
        "100.0 % of 20 probes were not answered within 300 ms, half took 900 ms or more; of its \
         peers 0.0 % of 20 probes, half took 40 ms or more; 5.0 % is borne"
    );
}

#[test]
fn a_service_that_is_slow_everywhere_now_blames_nobody() {
    for seed in 0..50 {
        // Its database is away from the tenth to the fortieth second, and hardly any answer is fast.
        let mut shop = shop(seed, |_, elapsed_ms, roll| match elapsed_ms {
            10_000..40_000 if roll < 900_000 => SLOW,
            _ => FAST,
        });
        assert_eq!(
            shop.watch(&timed()),
            Verdict::Steady(Basis::Peers),
            "{seed}"
        );
    }
}

#[test]
fn a_few_slow_probes_decide_nothing() {
    // Two pauses of two seconds.
    let manner: Manner = |server, elapsed_ms, _| match elapsed_ms {
        5_000..7_000 | 30_000..32_000 if server == 0 => SLOW,
        _ => FAST,
    };
    for watch in [timed(), alone()] {
        let verdict = shop(3, manner).watch(&watch);
        assert!(matches!(verdict, Verdict::Steady(_)), "{verdict:?}");
    }
}

#[test]
fn with_nobody_to_compare_with_the_limit_decides_alone() {
    let mut slow = shop(4, |_, _, roll| if roll < 500_000 { SLOW } else { FAST });
    assert_eq!(too_slow(slow.watch(&alone())).0, Basis::Limit);
}

#[test]
fn what_is_not_answered_well_was_not_answered_in_time() {
    let mut shop = shop(5, |server, _, roll| match server {
        0 if roll < 300_000 => Reply::Bad("no answer in 5s".to_owned()),
        0 if roll < 500_000 => Reply::Unreached("connection refused".to_owned()),
        _ => FAST,
    });
    let (_, detail) = too_slow(shop.watch(&timed()));
    let seen = shop.seen().response.unwrap();
    assert_eq!((seen.server.slow, seen.peers.late()), (0, 0));
    assert!(seen.server.failed >= 10, "{seen:?}");
    assert!(
        detail.contains("had no good answer, the last: "),
        "{detail}"
    );
}

#[test]
fn one_that_only_hangs_is_too_slow_beside_others_who_answer() {
    let mut shop = shop(6, |server, _, _| match server {
        0 => Reply::Bad("no answer in 5s".to_owned()),
        _ => FAST,
    });
    too_slow(shop.watch(&timed()));
}

#[test]
fn without_a_way_to_the_server_or_a_good_answer_from_anybody_there_is_no_verdict() {
    let manners: [Manner; 2] = [
        |server, _, _| match server {
            0 => Reply::Unreached("no route to host".to_owned()),
            _ => FAST,
        },
        |_, _, _| Reply::Bad("400, good is 200".to_owned()),
    ];
    for (manner, why) in manners
        .into_iter()
        .zip(["no route to host", "400, good is 200"])
    {
        for watch in [timed(), alone()] {
            let mut shop = shop(7, manner);
            let Verdict::Unseen(failure) = shop.watch(&watch) else {
                panic!("a verdict without an answer");
            };
            assert_eq!(failure.reason, FailedBecause::Unreachable);
            assert_eq!(
                failure.detail,
                format!("no good answer to GET http://web1/: {why}")
            );
            assert_eq!(shop.elapsed_ms, 60_000);
        }
    }
    // Peers who cannot be reached are no peers; the server is held against the limit.
    let mut lone = shop(8, |server, _, _| match server {
        0 => SLOW,
        _ => Reply::Unreached("no route to host".to_owned()),
    });
    assert_eq!(too_slow(lone.watch(&timed())).0, Basis::Limit);
    assert_eq!(lone.seen().response.unwrap().peers.probes, 0);
}

#[test]
fn too_few_probes_are_judged_by_the_policy() {
    let rare = |if_too_few, longest_ms| {
        let watch = timed();
        let response = watch.response.map(|rule| ResponseTime {
            interval_ms: 5_000,
            ..rule
        });
        Watch {
            response,
            if_too_few,
            longest_ms,
            ..watch
        }
    };
    // Thirteen in a minute: not enough to blame anybody, however slow they are.
    let slow: Manner = |server, _, _| if server == 0 { SLOW } else { FAST };
    let verdict = shop(9, slow).watch(&rare(TooFew::Pass, 60_000));
    assert_eq!(verdict, Verdict::Steady(Basis::NotEnoughData));
    let verdict = shop(9, slow).watch(&rare(TooFew::Fail, 60_000));
    let Verdict::Regressed(Basis::NotEnoughData, failure) = verdict else {
        panic!("{verdict:?}");
    };
    assert_eq!(failure.reason, FailedBecause::TooFewRequests);
    assert_eq!(failure.detail, "13 probes ended, at least 20 are wanted");
    // With more time they come, and are judged.
    too_slow(shop(9, slow).watch(&rare(TooFew::Pass, 180_000)));
}

#[test]
fn a_quiet_service_is_timed_though_nobody_comes() {
    let slow: Manner = |server, _, _| if server == 0 { SLOW } else { FAST };
    too_slow(Shop::new(10, 0, 8).answering(slow).watch(&timed()));
}

#[test]
fn what_only_the_new_version_can_answer_is_held_against_the_limit() {
    let new_only: Manner = |server, _, _| match server {
        0 => SLOW,
        _ => Reply::Bad("404, good is 200".to_owned()),
    };
    let mut shop = shop(11, new_only);
    assert_eq!(too_slow(shop.watch(&timed())).0, Basis::Limit);
    assert!(shop.seen().response.unwrap().peers.failed > 10);
}
