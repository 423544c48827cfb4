//! Taking a server out.

use std::time::Duration;

use events::{Answer, FailedBecause, Then};
use tokio::task::JoinHandle;

use crate::support::customers::{Crowd, ask};
use crate::support::orders;
use crate::support::scene::{MINUTE_MS, Scene};

const ALL: [&str; 3] = ["web1", "web2", "web3"];

/// Customers whose requests run until their shop lets them go.
fn customers_who_stay(scene: &Scene, count: usize) -> Vec<JoinHandle<Option<(u16, String)>>> {
    let door = scene.haproxy.customers;
    let come = |_| tokio::spawn(ask(door, "/held", ""));
    (0..count).map(come).collect()
}

#[tokio::test]
async fn a_drain_lets_running_requests_finish_and_then_only_testers_reach_the_server() {
    let mut scene = Scene::open().await;
    let held = customers_who_stay(&scene, 3);
    for line in ALL {
        scene.haproxy.wait_for_running(line, "1").await;
    }

    scene
        .order("web1", orders::drain(&ALL, 2, 0, Then::Fail), MINUTE_MS)
        .await;
    scene.haproxy.wait_for("shop", "web1", "MAINT").await;
    scene.listen(Duration::from_millis(300)).await;
    assert_eq!(
        scene.count_said("poolshift.drained"),
        0,
        "a request still runs"
    );

    scene.shops.iter().for_each(|shop| shop.let_go());
    let Answer::Drained(drained) = scene.answer("poolshift.drained").await else {
        unreachable!()
    };
    for request in held {
        assert_eq!(request.await.unwrap().unwrap().0, 200);
    }
    assert_eq!((drained.running, drained.queued, drained.cut), (0, 0, 0));
    assert_eq!(
        (drained.up_before, drained.up_after, drained.floor),
        (3, 2, 2)
    );
    assert!(drained.state_saved && drained.was_up && !drained.by_person);
    assert!(drained.row.starts_with("shop,web1,"), "{}", drained.row);
    assert!(drained.waited_ms >= 300, "{}", drained.waited_ms);

    let pin = "x-poolshift-server: web1\r\n";
    let tester = ask(scene.haproxy.testers, "/", pin).await.unwrap();
    assert_eq!(tester, (200, "web1".to_owned()));
    let saved = std::fs::read_to_string(&scene.settings.state_file).unwrap();
    assert!(
        saved.ends_with('\n') && saved.contains(" shop 1 web1 127.0.0.1 0 1 "),
        "{saved}"
    );
}

#[tokio::test]
async fn a_drain_that_would_break_the_floor_is_refused_at_once_and_touches_nothing() {
    let mut scene = Scene::open().await;
    scene.shops[2].is_healthy(false);
    scene.haproxy.wait_for("shop", "web3", "DOWN").await;

    scene
        .order("web1", orders::drain(&ALL, 2, 0, Then::Fail), MINUTE_MS)
        .await;
    let Answer::DrainRefused(refused) = scene.answer("poolshift.drain-refused").await else {
        unreachable!()
    };
    assert_eq!((refused.up, refused.floor), (2, 2));
    assert_eq!(scene.haproxy.status("shop", "web1").await, "UP");

    scene
        .order("web3", orders::drain(&ALL, 2, 0, Then::Fail), MINUTE_MS)
        .await;
    let Answer::Drained(drained) = scene.answer("poolshift.drained").await else {
        unreachable!()
    };
    assert!(!drained.was_up, "one that is DOWN costs no floor");
}

#[tokio::test]
async fn several_drains_are_judged_one_after_another() {
    let mut scene = Scene::without_controller(true).await;
    for server in ["web3", "web2", "web1"] {
        scene
            .order(server, orders::drain(&ALL, 1, 0, Then::Fail), MINUTE_MS)
            .await;
    }
    scene.start();
    let Answer::DrainRefused(refused) = scene.answer("poolshift.drain-refused").await else {
        unreachable!()
    };
    assert_eq!(refused.command.server, orders::server("web3"));
    while scene.count_said("poolshift.drained") < 2 {
        scene.answer("poolshift.drained").await;
    }
    assert_eq!(scene.haproxy.status("shop", "web3").await, "UP");
}

#[tokio::test]
async fn another_try_is_judged_by_the_floor_for_what_the_one_before_began() {
    let mut scene = Scene::open().await;
    let held = customers_who_stay(&scene, 3);
    for line in ALL {
        scene.haproxy.wait_for_running(line, "1").await;
    }
    let first = orders::drain(&ALL, 2, 0, Then::Fail);
    scene.order("web1", first, MINUTE_MS).await;
    scene.haproxy.wait_for("shop", "web1", "MAINT").await;
    scene.listen(Duration::from_millis(300)).await;
    scene.kill_controller().await;
    scene.shops.iter().for_each(|shop| shop.let_go());
    for request in held {
        assert_eq!(request.await.unwrap().unwrap().0, 200);
    }
    scene.shops[2].is_healthy(false);
    scene.haproxy.wait_for("shop", "web3", "DOWN").await;

    let again = orders::drain(&ALL, 2, 0, Then::Fail);
    scene.order("web1", again, MINUTE_MS).await;
    scene.start();
    let Answer::DrainRefused(refused) = scene.answer("poolshift.drain-refused").await else {
        unreachable!()
    };
    assert_eq!(refused.floor, 2);
    scene.haproxy.wait_for("shop", "web1", "UP").await;
    assert_eq!(scene.count_said("poolshift.drained"), 0);
}

#[tokio::test]
async fn a_drain_is_undone_when_others_fall_before_it_is_reported() {
    let mut scene = Scene::open().await;
    scene
        .order(
            "web1",
            orders::drain(&ALL, 2, MINUTE_MS, Then::Fail),
            2 * MINUTE_MS,
        )
        .await;
    scene.haproxy.wait_for("shop", "web1", "DRAIN").await;

    scene.shops[1].is_healthy(false);
    let Answer::DrainRefused(refused) = scene.answer("poolshift.drain-refused").await else {
        unreachable!()
    };
    assert_eq!((refused.up, refused.floor), (1, 2));
    scene.is_back("web1").await;
}

#[tokio::test]
async fn at_the_deadline_a_busy_server_goes_back() {
    let mut scene = Scene::open().await;
    let _held = customers_who_stay(&scene, 3);
    scene.haproxy.wait_for_running("web1", "1").await;

    scene
        .order("web1", orders::drain(&ALL, 2, 0, Then::Fail), 700)
        .await;
    let Answer::DrainFailed(failed) = scene.answer("poolshift.drain-failed").await else {
        unreachable!()
    };
    assert_eq!(failed.failure.reason, FailedBecause::StillBusy);
    assert_eq!((failed.running, failed.queued), (1, 0));
    insta::assert_snapshot!(
        failed.failure.detail,
        @"shop/web1: 1 requests still ran and 0 waited"
    );
    scene.is_back("web1").await;
}

#[tokio::test]
async fn at_the_deadline_requests_are_ended_and_counted_where_that_is_asked_for() {
    let mut scene = Scene::open().await;
    let held = customers_who_stay(&scene, 6);
    scene.haproxy.wait_for_running("web1", "2").await;

    scene
        .order("web1", orders::drain(&ALL, 2, 0, Then::Cut), 700)
        .await;
    let Answer::Drained(drained) = scene.answer("poolshift.drained").await else {
        unreachable!()
    };
    assert_eq!((drained.cut, drained.running), (2, 0));
    scene.shops.iter().for_each(|shop| shop.let_go());
    let mut good = 0;
    for request in held {
        good += u32::from(matches!(request.await.unwrap(), Some((200, _))));
    }
    assert_eq!(good, 4, "the requests of other servers were left alone");
}

#[tokio::test]
async fn while_pinned_customers_may_come_the_server_only_drains() {
    let mut scene = Scene::open().await;
    let crowd = Crowd::at(scene.haproxy.customers);
    scene
        .order("web1", orders::drain(&ALL, 2, 600, Then::Fail), MINUTE_MS)
        .await;
    scene.haproxy.wait_for("shop", "web1", "DRAIN").await;
    assert_eq!(scene.count_said("poolshift.drained"), 0);
    let Answer::Drained(drained) = scene.answer("poolshift.drained").await else {
        unreachable!()
    };
    assert!(drained.waited_ms >= 600, "{}", drained.waited_ms);
    assert_eq!(drained.pinned_seen, 0, "these customers have no cookie");
    let before = crowd.answered_by("web1");
    crowd.more(50).await;
    assert_eq!(crowd.answered_by("web1"), before);
}

#[tokio::test]
async fn a_server_that_haproxy_does_not_know_fails_at_once() {
    let mut scene = Scene::open().await;
    scene
        .order("web9", orders::drain(&ALL, 2, 0, Then::Fail), MINUTE_MS)
        .await;
    let Answer::DrainFailed(failed) = scene.answer("poolshift.drain-failed").await else {
        unreachable!()
    };
    assert_eq!(failed.failure.reason, FailedBecause::NotObeyed);
    insta::assert_snapshot!(failed.failure.detail);
}
