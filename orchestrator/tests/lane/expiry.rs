use std::time::Duration;

use bus::{Position, Stream};
use events::{Subject, partition_of};
use poolshift_orchestrator::Settings;

use crate::world::{PATIENCE, World, target};

/// Reports about the target that are kept.
async fn kept(world: &World) -> usize {
    let partition = partition_of(&Subject::Target(target()));
    let mut reports = world
        .bus
        .follow(Stream::Reports, &[partition], &Position::Start)
        .unwrap();
    reports.catch_up().await.unwrap().len()
}

#[tokio::test]
async fn reports_that_are_consumed_and_over_their_time_are_deleted_and_no_event_is() {
    let mut world = World::new();
    world.introduce().await;
    let events = world.until_events("poolshift.adopted", 2).await;
    world.stop().await;
    assert_eq!(kept(&world).await, 3, "30 days are not over");
    world.start_with(Settings {
        reports_kept_ms: 0,
        ..Settings::default()
    });
    let gone = tokio::time::timeout(PATIENCE, async {
        // The last one stays, so that the end of the stream never falls.
        while kept(&world).await > 1 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    });
    gone.await.unwrap();
    assert_eq!(
        world.until_events("poolshift.adopted", 2).await.len(),
        events.len()
    );
    world.say(World::request("one", "1.1.0")).await;
    world.until_events("poolshift.rollout-planned", 1).await;
    world.stop().await;
}
