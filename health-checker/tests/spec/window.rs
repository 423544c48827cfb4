//! What a watch makes of counters: the real verdict over simulated customers, in virtual time.

use std::time::{Duration, Instant};

use crate::virtual_time::{Shop, watch};
use events::{Basis, FailedBecause, Requests, TooFew, Watch};
use poolshift_health_checker::{Stands, Verdict};

/// The demo's fleet and load: eight servers, 500 requests a second.
fn demo(seed: u64, new_ppm: u64) -> Shop {
    Shop::new(seed, 500, 8).failing(0, new_ppm)
}

#[test]
fn a_healthy_canary_never_regresses_though_one_request_in_a_hundred_fails_as_always() {
    for seed in 0..50 {
        let begun = Instant::now();
        let verdict = demo(seed, 10_000).watch(&watch());
        assert_eq!(verdict, Verdict::Steady(Basis::Peers), "seed {seed}");
        assert!(begun.elapsed() < Duration::from_millis(200), "seed {seed}");
    }
}

#[test]
fn a_canary_with_three_failures_in_a_hundred_beside_one_is_always_caught() {
    for seed in 0..50 {
        let begun = Instant::now();
        let mut shop = demo(seed, 30_000);
        let verdict = shop.watch(&watch());
        let Verdict::Regressed(Basis::Peers, failure) = verdict else {
            panic!("seed {seed}: {verdict:?}");
        };
        assert_eq!(failure.reason, FailedBecause::TooManyErrors);
        assert!(begun.elapsed() < Duration::from_millis(200), "seed {seed}");
    }
}

#[test]
fn one_that_fails_every_second_request_is_caught_long_before_the_end() {
    let mut shop = demo(1, 500_000);
    let verdict = shop.watch(&watch());
    assert!(matches!(verdict, Verdict::Regressed(..)), "{verdict:?}");
    assert!(shop.elapsed_ms <= 5_000, "{} ms", shop.elapsed_ms);
}

#[test]
fn errors_that_are_borne_are_borne_however_much_better_the_others_are() {
    let mut shop = Shop::new(2, 500, 8).all_failing(0).failing(0, 8_000);
    assert_eq!(shop.watch(&watch()), Verdict::Steady(Basis::Peers));
}

#[test]
fn a_handful_of_errors_among_few_requests_is_chance() {
    for seed in 0..50 {
        // Some 200 requests at the canary, in a minute.
        let verdict = Shop::new(seed, 27, 8).watch(&watch());
        assert!(matches!(verdict, Verdict::Steady(_)), "{seed}: {verdict:?}");
    }
}

#[test]
fn the_last_server_is_held_against_what_the_old_version_did_before() {
    let alone = |baseline| Watch {
        peers: vec![],
        baseline,
        ..watch()
    };
    let before = |errors_5xx| {
        Some(Requests {
            requests: 26_000,
            errors_5xx,
            broken: 0,
        })
    };
    // It fails three times in a hundred: as before, more than before, and more than is borne.
    let mut shop = demo(3, 30_000);
    assert_eq!(
        shop.watch(&alone(before(780))),
        Verdict::Steady(Basis::Baseline)
    );
    let more = demo(3, 30_000).watch(&alone(before(260)));
    assert!(matches!(more, Verdict::Regressed(Basis::Baseline, _)));
    let limit = demo(3, 30_000).watch(&alone(None));
    assert!(matches!(limit, Verdict::Regressed(Basis::Limit, _)));
    // One request in a hundred is borne, and one in a hundred is what fails.
    assert_eq!(
        demo(3, 10_000).watch(&alone(None)),
        Verdict::Steady(Basis::Limit)
    );
}

#[test]
fn too_few_requests_are_judged_by_the_policy() {
    let policy = |if_too_few, longest_ms| Watch {
        if_too_few,
        longest_ms,
        ..watch()
    };
    let quiet = || Shop::new(4, 8, 8);
    let mut passed = quiet();
    let verdict = passed.watch(&policy(TooFew::Pass, 60_000));
    assert_eq!(verdict, Verdict::Steady(Basis::NotEnoughData));
    assert_eq!(passed.elapsed_ms, 60_000);
    let verdict = quiet().watch(&policy(TooFew::Fail, 60_000));
    let Verdict::Regressed(Basis::NotEnoughData, failure) = verdict else {
        panic!("{verdict:?}");
    };
    assert_eq!(failure.reason, FailedBecause::TooFewRequests);
    // With more time the requests come, and it ends as soon as they have.
    let mut patient = Shop::new(4, 16, 8);
    let verdict = patient.watch(&policy(TooFew::Fail, 180_000));
    assert_eq!(verdict, Verdict::Steady(Basis::Peers));
    assert!((95_000..120_000).contains(&patient.elapsed_ms));
}

#[test]
fn a_haproxy_that_begins_to_count_anew_loses_a_second_and_not_the_watch() {
    let mut shop = demo(5, 30_000).restarting_at(30_000);
    let verdict = shop.watch(&watch());
    assert!(matches!(verdict, Verdict::Regressed(..)), "{verdict:?}");
    let mut shop = demo(5, 10_000).restarting_at(30_000);
    assert_eq!(shop.watch(&watch()), Verdict::Steady(Basis::Peers));
    let seen = shop.seen();
    assert_eq!(seen.resets, 2, "of two balancers");
    let sent = shop.sent(0);
    assert!(seen.server.requests < sent && seen.server.requests > sent - 150);
}

#[test]
fn counters_that_are_cleared_are_noticed_though_the_process_is_the_same() {
    let mut shop = demo(6, 10_000).cleared_at(30_000);
    assert_eq!(shop.watch(&watch()), Verdict::Steady(Basis::Peers));
    assert_eq!(shop.seen().resets, 2, "of two balancers");
    assert!(shop.seen().server.requests > 3_500);
}

#[test]
fn a_balancer_that_nobody_can_read_is_named_and_the_other_one_decides() {
    let mut shop = demo(7, 30_000).deaf(1, 0);
    let verdict = shop.watch(&watch());
    assert!(matches!(verdict, Verdict::Regressed(..)), "{verdict:?}");
    assert_eq!(shop.seen().unread, ["lb2".parse().unwrap()]);
    let mut shop = demo(7, 10_000).deaf(1, 0);
    assert_eq!(shop.watch(&watch()), Verdict::Steady(Basis::Peers));
}

#[test]
fn when_no_balancer_can_be_read_there_is_no_verdict_whatever_is_made_of_too_few_requests() {
    let patient = Watch {
        longest_ms: 180_000,
        ..watch()
    };
    for if_too_few in [TooFew::Pass, TooFew::Fail] {
        let watch = Watch {
            if_too_few: if_too_few.clone(),
            ..patient.clone()
        };
        // From the beginning, and after more requests than are wanted.
        for from_ms in [0, 30_000] {
            let mut shop = demo(9, 10_000).deaf(0, from_ms).deaf(1, from_ms);
            let Verdict::Unseen(failure) = shop.watch(&watch) else {
                panic!("a verdict by {if_too_few}, deaf from {from_ms}");
            };
            assert_eq!(failure.reason, FailedBecause::Unreachable);
            assert_eq!(
                failure.detail,
                "not counted by lb1: nobody is there; lb2: nobody is there"
            );
            assert_eq!(shop.elapsed_ms, 60_000, "nobody waits for what nobody sees");
        }
    }
}

#[test]
fn few_requests_are_no_verdict_while_a_balancer_cannot_be_read() {
    let mut shop = Shop::new(4, 8, 8).deaf(1, 0);
    let verdict = shop.watch(&watch());
    assert!(matches!(verdict, Verdict::Unseen(_)), "{verdict:?}");
    // A restart in the last moment is none: it is read again soon.
    let mut shop = Shop::new(4, 8, 8).deaf(1, 59_500);
    let verdict = shop.watch(&watch());
    assert_eq!(verdict, Verdict::Steady(Basis::NotEnoughData));
}

#[test]
fn a_server_that_falls_while_others_stand_has_regressed_and_one_that_falls_with_all_has_not() {
    let stands = |own, others| demo(8, 10_000).standing(own, others).watch(&watch());
    let verdict = stands(Stands::Down, Stands::Up);
    let Verdict::Regressed(_, failure) = verdict else {
        panic!("{verdict:?}");
    };
    assert_eq!(failure.reason, FailedBecause::NotUp);
    let steady = Verdict::Steady(Basis::Peers);
    assert_eq!(stands(Stands::Down, Stands::Down), steady);
    assert_eq!(stands(Stands::Out, Stands::Up), steady);
    let before = Watch {
        must_be_up: false,
        ..watch()
    };
    let verdict = demo(8, 10_000)
        .standing(Stands::Down, Stands::Up)
        .watch(&before);
    assert_eq!(verdict, steady);
}
