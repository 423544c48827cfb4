//! An admin socket that loses answers.

use crate::scene::{ROLLOUT, programs};
use events::Outcome;
use poolshift_tests::haproxy::Relay;
use poolshift_tests::shop::{Behaviour, Release};
use poolshift_tests::world::{Setup, World};
use std::time::Duration;

#[tokio::test]
async fn a_relay_that_swallows_one_answer_in_five_changes_no_outcome() {
    let root = tempfile::tempdir().unwrap();
    let mut relays = vec![];
    let setup = Setup {
        servers: 4,
        batches: "[2]".to_owned(),
        ..Setup::default()
    };
    let world = World::set_behind(programs().await, root.path(), setup, |stage| {
        let sockets = stage.balancers.iter().map(|balancer| {
            let at = balancer.layout.folder.join("relay.sock");
            relays.push(Relay::open(&at, &balancer.layout.admin_socket()).unwrap());
            at
        });
        sockets.collect()
    });
    let mut world = world.await.unwrap();
    let customers = world.stage.open().unwrap();
    let mut history = world.history();

    let good = world.trigger(&Release::good("1.1.0")).await.unwrap();
    let end = world.finish(&mut history, good, ROLLOUT).await.unwrap();
    assert_eq!(end.outcome, Outcome::Succeeded, "{}", end.reason);
    let bad = Release::good("1.2.0").behaving(Behaviour::Bad);
    let bad = world.trigger(&bad).await.unwrap();
    let end = world.finish(&mut history, bad, ROLLOUT).await.unwrap();
    assert_eq!(end.outcome, Outcome::RolledBack, "{}", end.reason);

    world
        .settled("1.1.0", Duration::from_secs(20))
        .await
        .unwrap();
    let tally = customers.stop().await.unwrap();
    assert_eq!(tally.failed, 0, "{:?}", tally.first_failures);
    assert_eq!(tally.answers_of("1.2.0"), 0);
    let swallowed: u64 = relays.iter().map(Relay::swallowed).sum();
    assert!(swallowed > 10, "only {swallowed} answers were swallowed");
}
