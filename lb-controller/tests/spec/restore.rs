//! Putting a server back.

use std::time::Duration;

use events::{Answer, FailedBecause, RefusedBecause};

use crate::support::customers::Crowd;
use crate::support::orders;
use crate::support::scene::{MINUTE_MS, Scene};

/// The first server is out, and its check is not good.
async fn drained_and_ill() -> Scene {
    let mut scene = Scene::open().await;
    scene.drain("web1").await;
    scene.shops[0].is_healthy(false);
    let maintenance = "shop_maintenance";
    scene.haproxy.wait_for(maintenance, "web1", "DOWN").await;
    scene
}

#[tokio::test]
async fn a_restore_is_done_when_the_server_is_up_and_saved() {
    let mut scene = drained_and_ill().await;
    scene.order("web1", orders::restore(true), MINUTE_MS).await;
    scene.haproxy.wait_for("shop", "web1", "DOWN").await;
    scene.listen(Duration::from_millis(500)).await;
    assert_eq!(scene.count_said("poolshift.restored"), 0, "it is not UP");

    scene.shops[0].is_healthy(true);
    let Answer::Restored(restored) = scene.answer("poolshift.restored").await else {
        unreachable!()
    };
    assert!(restored.up && restored.state_saved);
    scene.is_back("web1").await;
    let crowd = Crowd::at(scene.haproxy.customers);
    crowd.more(50).await;
    assert!(crowd.answered_by("web1") > 0);
}

#[tokio::test]
async fn a_server_that_was_not_up_before_need_not_be_up() {
    let mut scene = Scene::open().await;
    scene.shops[0].is_healthy(false);
    scene.haproxy.wait_for("shop", "web1", "DOWN").await;
    scene.drain("web1").await;
    scene.order("web1", orders::restore(false), MINUTE_MS).await;
    let Answer::Restored(restored) = scene.answer("poolshift.restored").await else {
        unreachable!()
    };
    assert!(!restored.up);
    assert_eq!(scene.haproxy.status("shop", "web1").await, "DOWN");
}

#[tokio::test]
async fn a_restore_that_is_not_up_by_its_deadline_has_failed() {
    let mut scene = drained_and_ill().await;
    scene.order("web1", orders::restore(true), 600).await;
    let Answer::RestoreFailed(failed) = scene.answer("poolshift.restore-failed").await else {
        unreachable!()
    };
    assert_eq!(failed.failure.reason, FailedBecause::TimedOut);
    insta::assert_snapshot!(failed.failure.detail, @"shop/web1 is `DOWN`: its check is not good");
}

#[tokio::test]
async fn after_its_deadline_nothing_is_put_back_or_taken_out() {
    let mut scene = Scene::open().await;
    scene.drain("web1").await;
    for work in [
        orders::restore(true),
        orders::drain(&["web2"], 0, 0, events::Then::Fail),
    ] {
        let server = if work.kind() == "drain" {
            "web2"
        } else {
            "web1"
        };
        scene.order(server, work, 0).await;
        let Answer::CommandRefused(refused) = scene.answer("poolshift.command-refused").await
        else {
            unreachable!()
        };
        assert_eq!(refused.reason, RefusedBecause::Late);
    }
    assert_eq!(scene.haproxy.status("shop", "web1").await, "MAINT");
    assert_eq!(scene.haproxy.status("shop", "web2").await, "UP");
}
