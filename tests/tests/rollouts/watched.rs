//! Servers that are watched when customers reach them again.

use crate::scene::{ROLLOUT, world};
use events::{Answer, Basis, Event, Outcome, Regressed, Requests, Steady};
use poolshift_tests::shop::Release;
use poolshift_tests::world::{Happened, Setup};
use std::time::Duration;

/// One of a hundred fails, as ever.
fn old() -> Release {
    Release::good("1.0.0").failing(10)
}

fn three_watched(for_s: u32) -> Setup {
    Setup {
        servers: 3,
        per_machine: 1,
        batches: "[1, 2]".to_owned(),
        floor: "1".to_owned(),
        initial: old(),
        watch: format!(
            "watch = {{ for = \"{for_s}s\", max_5xx_share = 0.01, min_requests = 200 }}"
        ),
        ..Setup::default()
    }
}

fn steady(events: &[Happened]) -> Vec<Steady> {
    let answers = events.iter().filter_map(|one| match &one.event {
        Event::Answer(Answer::Steady(steady)) => Some(steady.clone()),
        Event::Decision(_) | Event::Answer(_) => None,
    });
    answers.collect()
}

fn regressed(events: &[Happened]) -> Vec<Regressed> {
    let answers = events.iter().filter_map(|one| match &one.event {
        Event::Answer(Answer::Regressed(regressed)) => Some(regressed.clone()),
        Event::Decision(_) | Event::Answer(_) => None,
    });
    answers.collect()
}

fn is_about(seen: Requests, permille: std::ops::Range<u64>) -> bool {
    permille.contains(&(seen.errors() * 1_000 / seen.requests.max(1)))
}

#[tokio::test]
async fn a_version_that_fails_no_more_than_the_old_one_is_steady_beside_it_and_then_after_it() {
    let root = tempfile::tempdir().unwrap();
    let mut world = world(root.path(), three_watched(6)).await;
    let customers = world.stage.open().unwrap();
    let mut history = world.history();
    let new = Release::good("1.1.0").failing(10);
    let rollout = world.trigger(&new).await.unwrap();
    let end = world.finish(&mut history, rollout, ROLLOUT).await.unwrap();
    customers.stop().await.unwrap();
    assert_eq!(end.outcome, Outcome::Succeeded, "{}", end.reason);
    let steady = steady(&history.events);
    let bases: Vec<&Basis> = steady.iter().map(|one| &one.basis).collect();
    assert_eq!(bases, [&Basis::Peers, &Basis::Baseline, &Basis::Baseline]);
    for one in &steady {
        assert!(one.seen.server.requests >= 200, "{one:?}");
        assert!(is_about(one.seen.server, 5..15), "{one:?}");
        assert!(one.seen.unread.is_empty() && one.seen.resets == 0);
    }
}

#[tokio::test]
async fn a_canary_that_fails_three_of_a_hundred_beside_one_goes_back() {
    let root = tempfile::tempdir().unwrap();
    let mut world = world(root.path(), three_watched(15)).await;
    let customers = world.stage.open().unwrap();
    let mut history = world.history();
    let new = Release::good("1.1.0").failing(30);
    let rollout = world.trigger(&new).await.unwrap();
    let end = world.finish(&mut history, rollout, ROLLOUT).await.unwrap();
    customers.stop().await.unwrap();
    assert_eq!(end.outcome, Outcome::RolledBack, "{}", end.reason);
    assert!(end.reason.contains("too_many_errors"), "{}", end.reason);
    let regressed = regressed(&history.events);
    let [canary] = regressed.as_slice() else {
        panic!("{regressed:?}");
    };
    assert_eq!(canary.basis, Basis::Peers);
    assert!(is_about(canary.seen.server, 20..40), "{canary:?}");
    assert!(is_about(canary.seen.peers, 5..15), "{canary:?}");
    assert!(steady(&history.events).is_empty());
    world
        .settled("1.0.0", Duration::from_secs(20))
        .await
        .unwrap();
}

/// The front page may take 300 ms.
fn three_timed() -> Setup {
    Setup {
        initial: Release::good("1.0.0"),
        watch: "watch = { for = \"15s\", max_response = \"300ms\", probe_path = \"/\" }".to_owned(),
        ..three_watched(15)
    }
}

#[tokio::test]
async fn a_canary_that_takes_long_to_answer_beside_those_that_do_not_goes_back() {
    let root = tempfile::tempdir().unwrap();
    let mut world = world(root.path(), three_timed()).await;
    let customers = world.stage.open().unwrap();
    let mut history = world.history();
    let new = Release::good("1.1.0").taking(600);
    let rollout = world.trigger(&new).await.unwrap();
    let end = world.finish(&mut history, rollout, ROLLOUT).await.unwrap();
    customers.stop().await.unwrap();
    assert_eq!(end.outcome, Outcome::RolledBack, "{}", end.reason);
    assert!(end.reason.contains("too_slow"), "{}", end.reason);
    let regressed = regressed(&history.events);
    let [canary] = regressed.as_slice() else {
        panic!("{regressed:?}");
    };
    assert_eq!(canary.basis, Basis::Peers);
    assert!(canary.seen.watched_ms < 15_000, "{canary:?}");
    let response = canary.seen.response.unwrap();
    assert_eq!(response.server.slow, response.server.probes, "{canary:?}");
    assert!(
        response.peers.late() * 10 <= response.peers.probes,
        "{canary:?}"
    );
    world
        .settled("1.0.0", Duration::from_secs(20))
        .await
        .unwrap();
}
