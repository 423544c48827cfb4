//! A rollout that nothing disturbs.

use crate::scene::{ROLLOUT, world};
use events::{Decision, Event, Outcome};
use poolshift_tests::shop::Release;
use poolshift_tests::world::Setup;

#[tokio::test]
async fn batches_are_as_large_as_planned_since_a_server_that_is_back_counts_as_up_at_once() {
    let root = tempfile::tempdir().unwrap();
    let setup = Setup {
        servers: 4,
        batches: "[1, 3]".to_owned(),
        floor: "1".to_owned(),
        ..Setup::default()
    };
    let mut world = world(root.path(), setup).await;
    let mut history = world.history();
    let rollout = world.trigger(&Release::good("1.1.0")).await.unwrap();
    let end = world.finish(&mut history, rollout, ROLLOUT).await.unwrap();
    assert_eq!(end.outcome, Outcome::Succeeded, "{}", end.reason);
    let sizes: Vec<usize> = history
        .events
        .iter()
        .filter_map(|one| match &one.event {
            Event::Decision(Decision::BatchStarted(batch)) => Some(batch.servers.len()),
            Event::Decision(_) | Event::Answer(_) => None,
        })
        .collect();
    assert_eq!(sizes, [1, 3]);
}
