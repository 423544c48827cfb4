//! Keeping a server out, whatever HAProxy forgets.

use events::{Answer, Then};

use crate::support::customers::Crowd;
use crate::support::orders;
use crate::support::scene::{MINUTE_MS, Scene};

#[tokio::test]
async fn a_killed_haproxy_that_loads_its_state_sends_nobody_to_a_held_server() {
    let mut scene = Scene::open().await;
    scene.hold("web1").await;
    let crowd = Crowd::at(scene.haproxy.customers);
    for _ in 0..3 {
        scene.haproxy.kill().await;
        scene.haproxy.start_again().await;
        crowd.more(100).await;
    }
    assert_eq!(crowd.answered_by("web1"), 0);
    assert_eq!(scene.haproxy.status("shop", "web1").await, "MAINT");
    assert_eq!(scene.count_said("poolshift.hold-broken"), 0);
}

#[tokio::test]
async fn a_reloaded_haproxy_sends_nobody_to_a_held_server() {
    let mut scene = Scene::open().await;
    scene.hold("web1").await;
    let crowd = Crowd::at(scene.haproxy.customers);
    scene.haproxy.reload().await;
    crowd.more(200).await;
    assert_eq!(crowd.answered_by("web1"), 0);
    assert_eq!(scene.haproxy.status("shop_maintenance", "web1").await, "UP");
}

#[tokio::test]
async fn a_haproxy_that_forgets_is_told_again_and_each_request_in_the_hole_is_counted() {
    let mut scene = Scene::without_controller(false).await;
    scene.start();
    scene.hold("web1").await;
    let crowd = Crowd::at(scene.haproxy.customers);
    crowd.more(20).await;
    assert_eq!(crowd.answered_by("web1"), 0);

    scene.haproxy.kill().await;
    scene.haproxy.start_again().await;
    let Answer::HoldBroken(broken) = scene.answer("poolshift.hold-broken").await else {
        unreachable!()
    };
    crowd.more(100).await;
    assert_eq!(broken.server, orders::server("web1"));
    assert!(broken.requests > 0 && broken.ms > 0, "{broken:?}");
    assert_eq!(broken.requests, crowd.answered_by("web1"), "{broken:?}");
    assert_eq!(scene.haproxy.status("shop", "web1").await, "MAINT");
}

#[tokio::test]
async fn what_broke_while_no_controller_looked_is_counted_by_the_next_one() {
    let mut scene = Scene::open().await;
    scene.hold("web1").await;
    scene.kill_controller().await;
    scene
        .haproxy
        .admin("set server shop/web1 state ready")
        .await;
    let crowd = Crowd::at(scene.haproxy.customers);
    crowd.more(30).await;
    scene.start();
    let Answer::HoldBroken(broken) = scene.answer("poolshift.hold-broken").await else {
        unreachable!()
    };
    crowd.more(30).await;
    assert_eq!(broken.requests, crowd.answered_by("web1"));
}

#[tokio::test]
async fn whatever_comes_after_the_drain_keeps_the_server_out_even_below_the_floor() {
    let mut scene = Scene::open().await;
    scene.drain("web1").await;
    scene.order("web1", orders::test("web1"), 1).await;
    scene.shops[1].is_healthy(false);
    scene.shops[2].is_healthy(false);
    scene.haproxy.wait_for("shop", "web3", "DOWN").await;
    scene
        .haproxy
        .admin("set server shop/web1 state ready")
        .await;
    scene.answer("poolshift.hold-broken").await;
    assert_eq!(scene.haproxy.status("shop", "web1").await, "MAINT");
}

#[tokio::test]
async fn a_hold_without_a_drain_takes_the_server_out() {
    let mut scene = Scene::open().await;
    let id = scene.order("web2", orders::hold(), MINUTE_MS).await;
    let Answer::Held(held) = scene.answer("poolshift.held").await else {
        unreachable!()
    };
    assert_eq!((held.command, held.state_saved), (id, true));
    assert_eq!(scene.haproxy.status("shop", "web2").await, "MAINT");
    assert_eq!(scene.haproxy.status("shop_maintenance", "web2").await, "UP");
    let work = orders::drain(&["web1", "web2", "web3"], 3, 0, Then::Fail);
    scene.order("web2", work, MINUTE_MS).await;
    scene.answer("poolshift.drained").await;
}
