//! An agent of the version before beside today's `serve`.

use crate::agent::Former;
use events::Outcome;
use poolshift_tests::former::{PARTS, wire};
use poolshift_tests::programs::Programs;
use poolshift_tests::shop::Release;
use poolshift_tests::world::{Setup, World};
use std::path::Path;
use std::time::Duration;
use tokio::sync::OnceCell;

const ROLLOUT: Duration = Duration::from_secs(120);

static PROGRAMS: OnceCell<Programs> = OnceCell::const_new();

async fn programs() -> &'static Programs {
    let build = || async { Programs::build().await.unwrap() };
    PROGRAMS.get_or_init(build).await
}

/// One server, whose machine has an agent of the version before; after its return it is watched,
/// which that version did not know.
async fn world(root: &Path) -> World {
    let setup = Setup {
        servers: 1,
        per_machine: 1,
        batches: "[1]".to_owned(),
        floor: "0".to_owned(),
        watch: "watch = { for = \"5s\", max_5xx_share = 0.01, min_requests = 1, if_too_few = \"pass\" }"
            .to_owned(),
        agents: false,
        ..Setup::default()
    };
    World::set(programs().await, root, setup).await.unwrap()
}

#[tokio::test]
async fn an_agent_of_the_version_before_is_led_through_a_whole_rollout() {
    let root = tempfile::tempdir().unwrap();
    let mut world = world(root.path()).await;
    let mut history = world.history();
    let rollout = world.trigger(&Release::good("1.1.0")).await.unwrap();
    let mut former = Former::enrol(&world, programs().await.shop.clone()).await;
    let end = tokio::select! {
        end = world.finish(&mut history, rollout, ROLLOUT) => end.unwrap(),
        () = former.work() => unreachable!("it works for ever"),
    };
    assert_eq!(end.outcome, Outcome::Succeeded, "{}", end.reason);
    former.told.dedup();
    assert_eq!(
        former
            .told
            .iter()
            .filter(|kind| *kind != "idle")
            .collect::<Vec<_>>(),
        ["fetch", "install", "test"]
    );
    let watched = history
        .events
        .iter()
        .any(|one| one.event.kind() == "poolshift.steady");
    assert!(
        watched,
        "the watch is the health-checker's, and nobody else's to refuse"
    );
}

#[tokio::test]
async fn all_that_an_agent_of_the_version_before_can_send_is_taken() {
    let root = tempfile::tempdir().unwrap();
    let world = world(root.path()).await;
    let mut former = Former::enrol(&world, programs().await.shop.clone()).await;
    for part in PARTS {
        for exchange in wire(part).unwrap() {
            for report in exchange.body["reports"].as_array().into_iter().flatten() {
                former.hand_in(report.clone()).await;
            }
        }
    }
    let renewal = wire("renewal-by-signature").unwrap();
    former.send(&renewal[0]).await;
    former.renew().await;
    former.send(&renewal[2]).await;
}
