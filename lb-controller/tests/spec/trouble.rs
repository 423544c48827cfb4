//! HAProxy, its socket, the disk or a second controller make trouble.

use std::sync::atomic::Ordering;

use events::{Answer, FailedBecause, Then};
use poolshift_lb_controller::run;
use tokio::sync::watch;

use crate::support::orders;
use crate::support::relay::Relay;
use crate::support::scene::{MINUTE_MS, Scene};

const ALL: [&str; 3] = ["web1", "web2", "web3"];

#[tokio::test]
async fn one_answer_in_five_that_is_swallowed_changes_no_outcome() {
    let mut scene = Scene::without_controller(true).await;
    let relayed = scene.folder.path().join("relay.sock");
    let relay = Relay::open(&relayed, &scene.settings.admin_socket);
    scene.settings.admin_socket = relayed;
    scene.start();
    for _ in 0..5 {
        for server in ["web1", "web2"] {
            scene.hold(server).await;
        }
        for server in ["web1", "web2"] {
            scene.order(server, orders::restore(true), MINUTE_MS).await;
            scene.answer("poolshift.restored").await;
        }
    }
    for kind in [
        "drain-refused",
        "drain-failed",
        "restore-failed",
        "hold-broken",
    ] {
        assert_eq!(scene.count_said(&format!("poolshift.{kind}")), 0, "{kind}");
    }
    assert!(relay.swallowed.load(Ordering::Relaxed) > 20);
}

#[tokio::test]
async fn a_second_controller_is_refused() {
    let mut scene = Scene::open().await;
    scene.drain("web1").await;
    let (_stop, shutdown) = watch::channel(false);
    let second = run(scene.settings.clone(), scene.bus.clone(), shutdown).await;
    let error = second.unwrap_err().to_string();
    assert!(error.contains("another lb-controller (process "), "{error}");
    scene.kill_controller().await;
    scene.start();
    scene.answer("poolshift.drained").await;
}

#[tokio::test]
async fn without_haproxy_a_drain_ends_with_its_deadline_and_is_undone_when_it_is_back() {
    let mut scene = Scene::open().await;
    scene
        .order("web1", orders::drain(&ALL, 2, MINUTE_MS, Then::Fail), 1_500)
        .await;
    scene.haproxy.wait_for("shop", "web1", "DRAIN").await;
    scene.haproxy.kill().await;
    let Answer::DrainFailed(failed) = scene.answer("poolshift.drain-failed").await else {
        unreachable!()
    };
    assert_eq!(failed.failure.reason, FailedBecause::Unreachable);

    scene.order("web2", orders::restore(true), 300).await;
    let Answer::RestoreFailed(failed) = scene.answer("poolshift.restore-failed").await else {
        unreachable!()
    };
    assert_eq!(failed.failure.reason, FailedBecause::Unreachable);

    scene.haproxy.start_again().await;
    scene.haproxy.wait_for("shop", "web1", "UP").await;
    scene.drain("web3").await;
}

#[tokio::test]
async fn what_cannot_be_saved_is_not_reported_as_done() {
    let mut scene = Scene::open().await;
    // Nothing can be renamed onto a folder.
    std::fs::create_dir(&scene.settings.state_file).unwrap();
    scene
        .order("web1", orders::drain(&ALL, 2, 0, Then::Fail), 500)
        .await;
    let Answer::DrainFailed(failed) = scene.answer("poolshift.drain-failed").await else {
        unreachable!()
    };
    assert_eq!(failed.failure.reason, FailedBecause::StateNotSaved);
    assert_eq!(scene.haproxy.status("shop", "web1").await, "UP");

    std::fs::remove_dir(&scene.settings.state_file).unwrap();
    scene.drain("web1").await;
}

#[tokio::test]
async fn a_damaged_file_of_marks_is_refused_at_the_start() {
    let mut scene = Scene::without_controller(true).await;
    std::fs::write(scene.marks_path(), "no marks").unwrap();
    let (_stop, shutdown) = watch::channel(false);
    let refused = run(scene.settings.clone(), scene.bus.clone(), shutdown).await;
    let error = refused.unwrap_err().to_string();
    assert!(
        error.contains("is not a file of marks: move it away"),
        "{error}"
    );
    std::fs::remove_file(scene.marks_path()).unwrap();
    scene.start();
    scene.drain("web1").await;
}

#[tokio::test]
async fn a_socket_that_other_machines_reach_is_refused_unless_that_is_wanted() {
    let mut scene = Scene::without_controller(true).await;
    scene.settings.admin_socket = "ipv4@0.0.0.0:9".into();
    let start = |settings: &poolshift_lb_controller::Settings| {
        let (stop, shutdown) = watch::channel(false);
        stop.send_replace(true);
        run(settings.clone(), scene.bus.clone(), shutdown)
    };
    let error = start(&scene.settings).await.unwrap_err().to_string();
    assert!(
        error.contains("`admin_socket` of lb1 is tcp@0.0.0.0:9"),
        "{error}"
    );
    assert!(error.contains("insecure_socket = true"), "{error}");
    let mut wanted = scene.settings.clone();
    wanted.insecure_socket = true;
    start(&wanted).await.unwrap();
    let mut loopback = scene.settings.clone();
    loopback.admin_socket = "ipv4@127.0.0.1:9".into();
    start(&loopback).await.unwrap();
}
