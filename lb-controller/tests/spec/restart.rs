//! A controller that dies in the middle goes on where it was.

use std::time::Duration;

use events::{Answer, CommandRecord, RefusedBecause, Then};

use crate::support::customers::ask;
use crate::support::orders;
use crate::support::scene::{MINUTE_MS, Scene, now};

const ALL: [&str; 3] = ["web1", "web2", "web3"];

#[tokio::test]
async fn in_the_middle_of_each_phase() {
    let mut scene = Scene::open().await;
    let door = scene.haproxy.customers;
    let held: Vec<_> = (0..3)
        .map(|_| tokio::spawn(ask(door, "/held", "")))
        .collect();
    scene.haproxy.wait_for_running("web1", "1").await;

    scene
        .order("web1", orders::drain(&ALL, 2, 900, Then::Fail), MINUTE_MS)
        .await;
    scene.haproxy.wait_for("shop", "web1", "DRAIN").await;
    scene.restart_controller().await;
    scene.haproxy.wait_for("shop", "web1", "MAINT").await;
    scene.restart_controller().await;
    scene.listen(Duration::from_millis(300)).await;
    assert_eq!(scene.count_said("poolshift.drained"), 0);
    scene.shops.iter().for_each(|shop| shop.let_go());
    let Answer::Drained(first) = scene.answer("poolshift.drained").await else {
        unreachable!()
    };
    assert!(
        first.was_up && first.up_before == 3 && first.waited_ms >= 900,
        "{first:?}"
    );
    for request in held {
        assert_eq!(request.await.unwrap().unwrap().0, 200);
    }

    scene.restart_controller().await;
    let Answer::Drained(again) = scene.answer("poolshift.drained").await else {
        unreachable!()
    };
    assert_eq!(
        (again.waited_ms, again.up_before),
        (first.waited_ms, first.up_before)
    );

    scene.order("web1", orders::test("web1"), MINUTE_MS).await;
    scene.restart_controller().await;
    scene.shops[0].is_healthy(false);
    scene
        .haproxy
        .wait_for("shop_maintenance", "web1", "DOWN")
        .await;
    scene.order("web1", orders::restore(true), MINUTE_MS).await;
    scene.haproxy.wait_for("shop", "web1", "DOWN").await;
    scene.restart_controller().await;
    scene.shops[0].is_healthy(true);
    scene.answer("poolshift.restored").await;
    assert_eq!(scene.haproxy.status("shop", "web1").await, "UP");
}

#[tokio::test]
async fn it_reads_to_the_end_before_it_acts() {
    let mut scene = Scene::without_controller(true).await;
    scene.order("web1", orders::test("web1"), MINUTE_MS).await;
    scene.order("web1", orders::restore(true), MINUTE_MS).await;
    scene.order("web2", orders::hold(), MINUTE_MS).await;
    scene.idle("web2").await;
    scene.start();
    let Answer::Restored(restored) = scene.answer("poolshift.restored").await else {
        unreachable!()
    };
    assert!(restored.up);
    for line in ALL {
        assert_eq!(scene.haproxy.status("shop", line).await, "UP");
    }
    assert_eq!(scene.count_said("poolshift.held"), 0);
}

#[tokio::test]
async fn a_command_that_is_published_again_gets_the_answer_it_had() {
    let mut scene = Scene::open().await;
    let id = scene.drain("web1").await;
    let work = orders::drain(&ALL, 1, 0, Then::Fail);
    let mut again = orders::command("web1", (2, 1), now().plus_ms(MINUTE_MS), work);
    again.id = id.clone();
    scene.write(CommandRecord::Command(Box::new(again))).await;
    let Answer::Drained(answer) = scene.answer("poolshift.drained").await else {
        unreachable!()
    };
    assert_eq!(answer.command, id);
}

#[tokio::test]
async fn a_lower_fence_is_refused_and_changes_nothing() {
    let mut scene = Scene::open().await;
    scene.hold("web1").await;
    let stale = orders::command(
        "web1",
        (0, 9),
        now().plus_ms(MINUTE_MS),
        orders::restore(true),
    );
    let id = stale.id.clone();
    scene.write(CommandRecord::Command(Box::new(stale))).await;
    let Answer::CommandRefused(refused) = scene.answer("poolshift.command-refused").await else {
        unreachable!()
    };
    assert_eq!(
        (refused.command, refused.reason),
        (id, RefusedBecause::Stale)
    );
    assert_eq!(refused.highest, events::Fence { epoch: 1, seq: 2 });
    assert_eq!(scene.haproxy.status("shop", "web1").await, "MAINT");
}
