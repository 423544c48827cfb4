//! One of two HAProxies is gone in the middle of a rollout.

use crate::scene::{ROLLOUT, world};
use events::{Answer, Decision, Event, Outcome, RolloutId};
use poolshift_tests::shop::Release;
use poolshift_tests::world::{Happened, History, Setup, World};
use std::time::Duration;

const REST: Duration = Duration::from_secs(20);

#[tokio::test]
async fn a_rollout_without_one_balancer_ends_by_its_deadlines_and_the_next_one_mends_all() {
    let root = tempfile::tempdir().unwrap();
    let (mut world, mut history, rollout) = lose_one_after_the_first_server(root.path()).await;
    let end = world.finish(&mut history, rollout, ROLLOUT).await.unwrap();
    assert_ne!(end.outcome, Outcome::Succeeded);
    assert!(end.reason.contains("web2"), "{}", end.reason);
    let (out, servers) = (end.stuck.len() + end.left.len(), end.servers.len());
    assert_eq!(servers, 4, "no server is forgotten");
    assert!(
        out > 0,
        "a server that the balancer did not let go is named"
    );

    world.stage.balancers[1].start_again().await.unwrap();
    let next = world.trigger(&Release::good("1.2.0")).await.unwrap();
    let end = world.finish(&mut history, next, ROLLOUT).await.unwrap();
    assert_eq!(end.outcome, Outcome::Succeeded, "{}", end.reason);
    world.settled("1.2.0", REST).await.unwrap();
}

#[tokio::test]
async fn a_rollout_goes_on_when_the_balancer_is_back_in_time() {
    let root = tempfile::tempdir().unwrap();
    let (mut world, mut history, rollout) = lose_one_after_the_first_server(root.path()).await;
    let drain_is_over = |events: &[Happened]| {
        let over = |one: &Happened| match &one.event {
            Event::Answer(Answer::DrainFailed(_)) => true,
            Event::Decision(Decision::StepTimedOut(late)) => late.command.step == "drain",
            Event::Decision(_) | Event::Answer(_) => false,
        };
        events.iter().any(over).then_some(())
    };
    history
        .until(
            "drain that is over without an answer",
            ROLLOUT,
            drain_is_over,
        )
        .await
        .unwrap();

    world.stage.balancers[1].start_again().await.unwrap();
    let end = world.finish(&mut history, rollout, ROLLOUT).await.unwrap();
    assert_eq!(end.outcome, Outcome::Succeeded, "{}", end.reason);
    world.settled("1.1.0", REST).await.unwrap();
}

/// A rollout of four servers, one after the other; when the first is back online, `lb2` is killed.
async fn lose_one_after_the_first_server(root: &std::path::Path) -> (World, History, RolloutId) {
    let setup = Setup {
        servers: 4,
        batches: "[1]".to_owned(),
        drain_timeout_s: 5,
        restore_timeout_s: 5,
        person_wait_s: 10,
        ..Setup::default()
    };
    let mut world = world(root, setup).await;
    let mut history = world.history();
    let rollout = world.trigger(&Release::good("1.1.0")).await.unwrap();
    let is_first_back = |events: &[Happened]| {
        let is_back = |one: &Happened| matches!(one.event, Event::Answer(Answer::Restored(_)));
        // One answer from each balancer.
        let answers = events.iter().filter(|one| is_back(one)).count();
        (answers >= 2).then_some(())
    };
    history
        .until("first server back", ROLLOUT, is_first_back)
        .await
        .unwrap();
    world.stage.balancers[1].kill().await.unwrap();
    (world, history, rollout)
}
