//! What a check says about a server behind a real HAProxy.

use std::time::{Duration, Instant};

use crate::support::Checker;
use crate::support::haproxy::Haproxy;
use crate::support::orders::{check, get, now};
use crate::support::scene::{Scene, failure};
use events::{Answer, FailedBecause, Probe, RefusedBecause, Work};

#[tokio::test]
async fn a_server_is_healthy_after_enough_good_rounds_that_it_answered_itself() {
    let mut scene = Scene::with((200, "shop 1.1"), (200, "shop 1.0")).await;
    let checker = Checker::start(&scene.bus);
    let command = check(1, 1, &[&scene.lb1.testers], vec![get("/health")]);
    scene.orders.publish(&command).await;
    let (envelope, answer) = scene.orders.report().await;
    let Answer::Healthy(healthy) = answer else {
        panic!("{answer:?} is not `Healthy`")
    };
    assert_eq!(healthy.answered_by.server, "web1");
    assert_eq!(healthy.answered_by.version.as_deref(), Some("1.1"));
    assert_eq!(healthy.probes[0].probe, "GET /health through lb1");
    assert_eq!(healthy.probes[0].found, "200 from web1, body \"shop 1.1\"");
    assert_eq!((scene.web1.asked(), scene.web2.asked()), (3, 0));
    assert_eq!(envelope.command, Some(command.id));
    assert_eq!(envelope.traceparent, command.traceparent);
    checker.stop().await;
}

#[tokio::test]
async fn a_server_without_a_balancer_in_front_is_asked_itself() {
    let mut scene = Scene::with((200, "shop 1.1"), (200, "shop 1.0")).await;
    let checker = Checker::start(&scene.bus);
    for (attempt, seq, address, is_good) in [
        (1, 1, scene.web1.address.clone(), true),
        (2, 2, scene.web2.address.clone(), false),
    ] {
        let mut command = check(attempt, seq, &[], vec![get("/health")]);
        command.timeout_ms = 500;
        let Work::Check(asked) = &mut command.work else {
            panic!("no check")
        };
        asked.direct = Some(format!("http://{address}"));
        scene.orders.publish(&command).await;
        let answer = scene.orders.report().await.1;
        if is_good && let Answer::Healthy(healthy) = &answer {
            assert_eq!(healthy.probes[0].probe, "GET /health of web1");
            assert!(healthy.balancers.is_empty());
        } else if !is_good && let Answer::Unhealthy(unhealthy) = &answer {
            assert_eq!(unhealthy.failure.reason, FailedBecause::WrongVersion);
            assert_eq!(
                unhealthy.failure.detail,
                "no answer of web1 names version 1.1"
            );
        } else {
            panic!("{answer:?}");
        }
    }
    checker.stop().await;
}

#[tokio::test]
async fn every_balancer_must_lead_to_the_server() {
    let mut scene = Scene::with((200, "1.1"), (200, "1.1")).await;
    let other = Haproxy::start(&[("web2", scene.web2.address.clone())]).await;
    let _checker = Checker::start(&scene.bus);
    let testers = [scene.lb1.testers.as_str(), other.testers.as_str()];
    let mut command = check(1, 1, &testers, vec![get("/health")]);
    command.timeout_ms = 500;
    scene.orders.publish(&command).await;
    let (reason, detail) = failure(scene.orders.report().await.1);
    assert_eq!(reason, FailedBecause::WrongServer);
    assert_eq!(
        detail,
        "GET /health through lb2: 200 from web2, asked was web1"
    );
}

#[tokio::test]
async fn another_version_is_not_healthy_though_its_name_begins_alike() {
    let mut scene = Scene::with((200, "shop 1.10"), (200, "shop 1.1")).await;
    let _checker = Checker::start(&scene.bus);
    let mut command = check(1, 1, &[&scene.lb1.testers], vec![get("/health")]);
    command.timeout_ms = 500;
    scene.orders.publish(&command).await;
    let (reason, detail) = failure(scene.orders.report().await.1);
    assert_eq!(reason, FailedBecause::WrongVersion);
    assert_eq!(detail, "no answer through lb1 names version 1.1");
}

#[tokio::test]
async fn a_server_that_becomes_good_in_time_is_healthy() {
    let mut scene = Scene::with((503, "starting"), (200, "1.1")).await;
    let _checker = Checker::start(&scene.bus);
    let command = check(1, 1, &[&scene.lb1.testers], vec![get("/health")]);
    scene.orders.publish(&command).await;
    scene.web1.until_asked(3).await;
    scene.web1.answer(200, "1.1");
    assert!(matches!(scene.orders.report().await.1, Answer::Healthy(_)));
}

#[tokio::test]
async fn one_that_never_does_is_unhealthy_when_its_time_is_over_with_the_evidence() {
    let mut scene = Scene::with((500, "no database"), (200, "1.1")).await;
    let _checker = Checker::start(&scene.bus);
    let mut command = check(1, 1, &[&scene.lb1.testers], vec![get("/health")]);
    command.timeout_ms = 400;
    let began = Instant::now();
    scene.orders.publish(&command).await;
    let (reason, detail) = failure(scene.orders.report().await.1);
    let took = began.elapsed();
    assert_eq!(reason, FailedBecause::ProgramFailed);
    assert_eq!(
        detail,
        "GET /health through lb1: 500 from web1, good is 200; body \"no database\""
    );
    assert!(took >= Duration::from_millis(400), "{took:?}");
    assert!(took < Duration::from_secs(3), "{took:?}");
}

#[tokio::test]
async fn no_check_goes_on_after_its_deadline_however_long_its_own_time() {
    let mut scene = Scene::with((500, ""), (200, "1.1")).await;
    let _checker = Checker::start(&scene.bus);
    let mut command = check(1, 1, &[&scene.lb1.testers], vec![get("/health")]);
    command.deadline_at = now().plus_ms(400);
    let began = Instant::now();
    scene.orders.publish(&command).await;
    failure(scene.orders.report().await.1);
    assert!(began.elapsed() < Duration::from_secs(3));
}

#[tokio::test]
async fn a_check_whose_deadline_is_over_is_refused_as_late() {
    let mut scene = Scene::with((200, "1.1"), (200, "1.1")).await;
    let mut command = check(1, 1, &[&scene.lb1.testers], vec![get("/health")]);
    command.deadline_at = now();
    scene.orders.publish(&command).await;
    let _checker = Checker::start(&scene.bus);
    let (_, answer) = scene.orders.report().await;
    let Answer::CommandRefused(refused) = answer else {
        panic!("{answer:?} is not `CommandRefused`")
    };
    assert_eq!(refused.reason, RefusedBecause::Late);
    assert_eq!(scene.web1.asked(), 0);
}

#[tokio::test]
async fn connections_and_programs_are_probed_beside_requests() {
    let mut scene = Scene::with((200, "1.1"), (200, "1.1")).await;
    let _checker = Checker::start(&scene.bus);
    let run = |argv: &[&str]| Probe::Command {
        argv: argv.iter().map(|part| (*part).to_owned()).collect(),
    };
    let address = scene.web1.address.clone();
    let probes = vec![get("/health"), Probe::Tcp { address }, run(&["true"])];
    let command = check(1, 1, &[&scene.lb1.testers], probes);
    scene.orders.publish(&command).await;
    assert!(matches!(scene.orders.report().await.1, Answer::Healthy(_)));

    let says = run(&["sh", "-c", "echo no disk >&2; exit 3"]);
    let mut command = check(2, 2, &[&scene.lb1.testers], vec![get("/health"), says]);
    command.timeout_ms = 300;
    scene.orders.publish(&command).await;
    let (reason, detail) = failure(scene.orders.report().await.1);
    assert_eq!(reason, FailedBecause::ProgramFailed);
    assert_eq!(detail, "run sh: exit status: 3 no disk");
}

#[tokio::test]
async fn a_probe_that_hangs_takes_no_longer_than_it_may() {
    let mut scene = Scene::with((200, "1.1"), (200, "1.1")).await;
    let _checker = Checker::start(&scene.bus);
    let sleeps = Probe::Command {
        argv: vec!["sleep".to_owned(), "60".to_owned()],
    };
    let mut command = check(1, 1, &[&scene.lb1.testers], vec![sleeps]);
    command.timeout_ms = 1_000;
    if let Work::Check(check) = &mut command.work {
        check.probe_timeout_ms = 100;
    }
    scene.orders.publish(&command).await;
    let (reason, detail) = failure(scene.orders.report().await.1);
    assert_eq!(reason, FailedBecause::TimedOut);
    assert!(detail.starts_with("run sleep: no answer in 10"), "{detail}");
}

#[tokio::test]
async fn a_check_that_probes_nothing_is_never_healthy() {
    let mut scene = Scene::with((200, "1.1"), (200, "1.1")).await;
    let _checker = Checker::start(&scene.bus);
    scene
        .orders
        .publish(&check(1, 1, &[&scene.lb1.testers], vec![]))
        .await;
    let (reason, _) = failure(scene.orders.report().await.1);
    assert_eq!(reason, FailedBecause::NoResults);
    scene
        .orders
        .publish(&check(2, 2, &[], vec![get("/")]))
        .await;
    let (reason, _) = failure(scene.orders.report().await.1);
    assert_eq!(reason, FailedBecause::NoResults);
}

#[tokio::test]
async fn a_check_is_dropped_when_another_command_takes_its_place() {
    let mut scene = Scene::with((503, ""), (200, "1.1")).await;
    let _checker = Checker::start(&scene.bus);
    let first = check(1, 1, &[&scene.lb1.testers], vec![get("/health")]);
    scene.orders.publish(&first).await;
    scene.web1.until_asked(2).await;
    scene.orders.publish_idle(&first).await;
    scene.web1.answer(200, "1.1");
    scene.orders.silence(Duration::from_millis(500)).await;
    let third = check(2, 3, &[&scene.lb1.testers], vec![get("/health")]);
    scene.orders.publish(&third).await;
    let (envelope, answer) = scene.orders.report().await;
    assert!(matches!(answer, Answer::Healthy(_)));
    assert_eq!(envelope.command, Some(third.id));
}

#[tokio::test]
async fn a_new_owner_gets_the_answer_that_the_former_one_had_without_a_new_check() {
    let mut scene = Scene::with((200, "1.1"), (200, "1.1")).await;
    let _checker = Checker::start(&scene.bus);
    let mut command = check(1, 1, &[&scene.lb1.testers], vec![get("/health")]);
    scene.orders.publish(&command).await;
    let (first, answer) = scene.orders.report().await;
    command.epoch = 9;
    scene.orders.publish(&command).await;
    let (second, again) = scene.orders.report().await;
    assert_eq!(answer, again);
    assert_ne!(first.id, second.id);
    assert_eq!(scene.web1.asked(), 3);
}

#[tokio::test]
async fn a_checker_that_starts_obeys_the_latest_command_only() {
    let mut scene = Scene::with((200, "1.1"), (200, "1.1")).await;
    let first = check(1, 1, &[&scene.lb1.testers], vec![get("/old")]);
    let second = check(2, 2, &[&scene.lb1.testers], vec![get("/new")]);
    scene.orders.publish(&first).await;
    scene.orders.publish(&second).await;
    let checker = Checker::start(&scene.bus);
    let (envelope, _) = scene.orders.report().await;
    assert_eq!(envelope.command, Some(second.id));
    scene.orders.silence(Duration::from_millis(300)).await;
    checker.stop().await;
}
