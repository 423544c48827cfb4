//! A watch over a real HAProxy's counters.

use std::time::Duration;

use crate::support::Checker;
use crate::support::haproxy::free_port;
use crate::support::orders::{now, timed, watch};
use crate::support::scene::Scene;
use events::{Answer, Basis, FailedBecause, RefusedBecause, WatchSeen, Work};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;

/// How long a customer waits for an answer.
const ANSWER: Duration = Duration::from_secs(1);

/// Customers, one after the other, until this is dropped.
struct Customers(JoinHandle<()>);

impl Customers {
    fn come(door: &str) -> Self {
        let address = door.trim_start_matches("http://").to_owned();
        Self(tokio::spawn(async move {
            loop {
                let asked = tokio::time::timeout(ANSWER, ask(&address)).await;
                if !matches!(asked, Ok(Ok(()))) {
                    // The door is shut for a moment, or whoever held the connection is gone.
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
            }
        }))
    }
}

impl Drop for Customers {
    fn drop(&mut self) {
        self.0.abort();
    }
}

async fn ask(address: &str) -> std::io::Result<()> {
    let mut stream = TcpStream::connect(address).await?;
    let request = b"GET / HTTP/1.1\r\nhost: shop\r\nconnection: close\r\n\r\n";
    stream.write_all(request).await?;
    stream.read_to_end(&mut Vec::new()).await?;
    Ok(())
}

fn steady(answer: Answer) -> (Basis, WatchSeen) {
    let Answer::Steady(steady) = answer else {
        panic!("{answer:?} is not `Steady`")
    };
    (steady.basis, steady.seen)
}

#[tokio::test]
async fn a_server_that_fails_beside_one_that_does_not_has_regressed_long_before_the_end() {
    let mut scene = Scene::with((500, "broken"), (200, "shop 1.0")).await;
    let _checker = Checker::reading(&scene.bus, &scene.lb1.stats_socket());
    let _customers = Customers::come(&scene.lb1.testers);
    scene
        .orders
        .publish(&watch(10_000, &scene.lb1.testers))
        .await;
    let (_, answer) = scene.orders.report().await;
    let Answer::Regressed(regressed) = answer else {
        panic!("{answer:?} is not `Regressed`")
    };
    assert_eq!(regressed.failure.reason, FailedBecause::TooManyErrors);
    assert_eq!(regressed.basis, Basis::Peers);
    let seen = regressed.seen;
    assert_eq!(seen.server.errors_5xx, seen.server.requests);
    assert_eq!(seen.peers.errors(), 0);
    assert!(seen.watched_ms < 5_000, "{seen:?}");
}

#[tokio::test]
async fn a_good_server_is_steady_at_the_end_and_a_restart_of_haproxy_does_not_hide_what_was_seen() {
    let mut scene = Scene::with((200, "shop 1.1"), (200, "shop 1.0")).await;
    let _checker = Checker::reading(&scene.bus, &scene.lb1.stats_socket());
    let customers = Customers::come(&scene.lb1.testers);
    scene
        .orders
        .publish(&watch(7_000, &scene.lb1.testers))
        .await;
    let (_, answer) = scene.orders.report().await;
    let Answer::Watching(news) = answer else {
        panic!("{answer:?} does not say how it stands")
    };
    scene.lb1.restart().await;
    let (basis, seen) = steady(scene.orders.report().await.1);
    drop(customers);
    assert_eq!((basis, seen.resets), (Basis::Peers, 1));
    assert!(seen.server.requests > news.seen.server.requests);
    assert!(u64::from(scene.web1.asked()) >= seen.server.requests);
}

#[tokio::test]
async fn a_watch_whose_counters_cannot_be_read_has_no_verdict_and_says_why() {
    let mut scene = Scene::with((500, "broken"), (200, "shop 1.0")).await;
    let _checker = Checker::reading(&scene.bus, "/nowhere/stats.sock");
    scene
        .orders
        .publish(&watch(1_000, &scene.lb1.testers))
        .await;
    let (_, answer) = scene.orders.report().await;
    let Answer::WatchFailed(failed) = answer else {
        panic!("{answer:?} is a verdict")
    };
    assert_eq!(failed.failure.reason, FailedBecause::Unreachable);
    let detail = failed.failure.detail;
    assert!(
        detail.starts_with("not counted by lb1: cannot talk to /nowhere/stats.sock"),
        "{detail}"
    );
    assert_eq!(failed.seen.unread, ["lb1".parse().unwrap()]);
}

#[tokio::test]
async fn a_watch_that_is_superseded_says_nothing_and_one_without_time_is_refused() {
    let mut scene = Scene::with((200, "shop 1.1"), (200, "shop 1.0")).await;
    let _checker = Checker::reading(&scene.bus, &scene.lb1.stats_socket());
    let command = watch(1_000, &scene.lb1.testers);
    scene.orders.publish(&command).await;
    scene.orders.publish_idle(&command).await;
    scene.orders.silence(Duration::from_secs(2)).await;
    let mut late = watch(10_000, &scene.lb1.testers);
    late.seq = 3;
    late.id = "repair/web1/watch/2".parse().unwrap();
    late.deadline_at = now().plus_ms(8_000);
    scene.orders.publish(&late).await;
    let (_, answer) = scene.orders.report().await;
    let Answer::CommandRefused(refused) = answer else {
        panic!("{answer:?} is no refusal")
    };
    assert_eq!(refused.reason, RefusedBecause::Late);
    assert!(matches!(late.work, Work::Watch(_)));
}

#[tokio::test]
async fn a_server_that_answers_late_beside_one_that_does_not_has_regressed_long_before_the_end() {
    let mut scene = Scene::with((200, "shop 1.1"), (200, "shop 1.0")).await;
    let _checker = Checker::reading(&scene.bus, &scene.lb1.stats_socket());
    scene.web1.take_ms(400);
    let addresses = [&*scene.web1.address, &*scene.web2.address];
    let command = timed(10_000, &scene.lb1.testers, addresses);
    scene.orders.publish(&command).await;
    let (_, answer) = scene.orders.report().await;
    let Answer::Regressed(regressed) = answer else {
        panic!("{answer:?} is not `Regressed`")
    };
    assert_eq!(regressed.failure.reason, FailedBecause::TooSlow);
    assert_eq!(regressed.basis, Basis::Peers);
    let seen = regressed.seen.response.unwrap();
    assert_eq!(seen.server.slow, seen.server.probes, "{seen:?}");
    assert_eq!(seen.peers.probes, seen.server.probes, "{seen:?}");
    assert!(regressed.seen.watched_ms < 9_000, "{regressed:?}");
}

#[tokio::test]
async fn when_both_answer_late_nobody_is_to_blame_and_without_a_way_to_the_server_there_is_no_verdict()
 {
    let mut scene = Scene::with((200, "shop 1.1"), (200, "shop 1.0")).await;
    let _checker = Checker::reading(&scene.bus, &scene.lb1.stats_socket());
    scene.web1.take_ms(250);
    scene.web2.take_ms(250);
    let testers = scene.lb1.testers.clone();
    let addresses = [&*scene.web1.address, &*scene.web2.address];
    let both = timed(4_000, &testers, addresses);
    scene.orders.publish(&both).await;
    let (basis, seen) = steady(scene.orders.report().await.1);
    assert_eq!(basis, Basis::NotEnoughData, "no customer came");
    let seen = seen.response.unwrap();
    assert!(seen.server.slow >= 20 && seen.peers.slow >= 20, "{seen:?}");
    let nobody = format!("127.0.0.1:{}", free_port());
    let mut lost = timed(1_000, &testers, [&nobody, &scene.web2.address]);
    lost.seq = 2;
    lost.id = "repair/web1/watch/2".parse().unwrap();
    scene.orders.publish(&lost).await;
    let (_, answer) = scene.orders.report().await;
    let Answer::WatchFailed(failed) = answer else {
        panic!("{answer:?} is a verdict")
    };
    assert_eq!(failed.failure.reason, FailedBecause::Unreachable);
    let begins = format!("no good answer to GET http://{nobody}/: no answer");
    assert!(failed.failure.detail.starts_with(&begins), "{failed:?}");
}
