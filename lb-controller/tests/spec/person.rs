//! What people do by hand.

use std::time::Duration;

use events::{Answer, Pool, Then};

use crate::support::orders;
use crate::support::scene::{MINUTE_MS, Scene};

const ALL: [&str; 3] = ["web1", "web2", "web3"];

#[tokio::test]
async fn a_persons_drain_is_left_alone_and_shown_once() {
    let mut scene = Scene::open().await;
    scene.order("web1", orders::fetch(), MINUTE_MS).await;
    scene.answer("poolshift.pool-seen").await;
    scene.idle("web1").await;
    scene
        .haproxy
        .admin("set server shop/web1 state drain")
        .await;
    let Answer::DriftSeen(drift) = scene.answer("poolshift.drift-seen").await else {
        unreachable!()
    };
    assert_eq!(drift.server, orders::server("web1"));
    insta::assert_snapshot!(drift.found, @"drain in shop, by a person");
    scene.listen(Duration::from_millis(1_500)).await;
    assert_eq!(scene.count_said("poolshift.drift-seen"), 1);
    assert_eq!(scene.haproxy.status("shop", "web1").await, "DRAIN");
}

#[tokio::test]
async fn a_persons_drain_is_restored_after_we_have_worked_there() {
    let mut scene = Scene::open().await;
    scene
        .haproxy
        .admin("set server shop/web1 state drain")
        .await;
    scene
        .order("web1", orders::drain(&ALL, 3, 0, Then::Fail), MINUTE_MS)
        .await;
    let Answer::Drained(drained) = scene.answer("poolshift.drained").await else {
        unreachable!()
    };
    assert!(
        drained.by_person && !drained.was_up,
        "it costs no floor: {drained:?}"
    );
    assert_eq!(scene.haproxy.status("shop", "web1").await, "MAINT");

    scene.order("web1", orders::restore(true), MINUTE_MS).await;
    let Answer::Restored(restored) = scene.answer("poolshift.restored").await else {
        unreachable!()
    };
    assert!(!restored.up);
    assert_eq!(scene.haproxy.status("shop", "web1").await, "DRAIN");
    assert_eq!(
        scene.haproxy.status("shop_maintenance", "web1").await,
        "MAINT"
    );
}

#[tokio::test]
async fn a_restore_leaves_out_what_a_person_took_out() {
    let mut scene = Scene::open().await;
    scene
        .haproxy
        .admin("set server shop/web1 state maint")
        .await;
    scene.order("web1", orders::restore(true), MINUTE_MS).await;
    let Answer::Restored(restored) = scene.answer("poolshift.restored").await else {
        unreachable!()
    };
    assert!(!restored.up);
    assert_eq!(scene.haproxy.status("shop", "web1").await, "MAINT");
}

#[tokio::test]
async fn a_server_that_is_out_by_our_mark_with_nothing_outstanding_has_strayed() {
    let mut scene = Scene::open().await;
    let drain = scene.drain("web1").await;
    scene.idle("web1").await;
    let Answer::Strayed(strayed) = scene.answer("poolshift.strayed").await else {
        unreachable!()
    };
    assert_eq!(strayed.mark, drain);
    assert_eq!(
        scene.count_said("poolshift.drift-seen"),
        0,
        "it is no person's"
    );
    assert_eq!(
        scene.haproxy.status("shop", "web1").await,
        "MAINT",
        "that is the brain's to mend"
    );

    scene.order("web1", orders::restore(true), MINUTE_MS).await;
    scene.answer("poolshift.restored").await;
    scene.idle("web1").await;
    scene.listen(Duration::from_millis(2_500)).await;
    assert_eq!(scene.count_said("poolshift.strayed"), 1);
}

#[tokio::test]
async fn a_server_that_a_person_puts_back_is_no_longer_ours() {
    let mut scene = Scene::open().await;
    scene.drain("web1").await;
    scene.idle("web1").await;
    scene
        .haproxy
        .admin("set server shop/web1 state ready")
        .await;
    scene.listen(Duration::from_millis(600)).await;
    let marks = std::fs::read_to_string(scene.marks_path()).unwrap();
    assert!(marks.contains("\"taken\": {}"), "{marks}");
}

#[tokio::test]
async fn pools_are_reported_at_the_start_and_on_change() {
    let mut scene = Scene::open().await;
    scene
        .order(
            "web2",
            orders::drain(&ALL, 1, MINUTE_MS, Then::Fail),
            2 * MINUTE_MS,
        )
        .await;
    let mut last = Vec::new();
    while last
        != [
            (Pool::Online, true),
            (Pool::Maintenance, true),
            (Pool::Online, false),
        ]
    {
        scene.shops[2].is_healthy(false);
        let Answer::PoolSeen(seen) = scene.answer("poolshift.pool-seen").await else {
            unreachable!()
        };
        last = seen
            .servers
            .into_iter()
            .map(|member| (member.pool, member.up))
            .collect();
    }
    let before = scene.count_said("poolshift.pool-seen");
    scene.listen(Duration::from_millis(1_500)).await;
    assert_eq!(
        scene.count_said("poolshift.pool-seen"),
        before,
        "nothing changed"
    );

    scene.restart_controller().await;
    scene.answer("poolshift.pool-seen").await;
}
