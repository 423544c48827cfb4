//! `Test`: suites that pass only by their results, against the right server.

use std::path::PathBuf;

use events::{Answer, AnsweredBy, FailedBecause, TestsFailed, TestsPassed};

use crate::support::{World, archive, install, suite, test};

const GOOD: &str = "<testsuite><testcase name='a'/><testcase name='b'/></testsuite>";
const BAD: &str = "<testsuite><testcase name='pays'><failure message='token=s3cr3t was \
                   refused'/></testcase></testsuite>";

/// A world in which version 1.0 is installed and answers as `web1`.
async fn installed() -> World {
    let mut world = World::enrolled().await;
    world
        .environment
        .push(("SUITE_KEY".to_owned(), "hunter22".to_owned()));
    world.start_agent();
    let home = world.home();
    let bytes = archive(&[
        ("VERSION", "1.0", 0o644),
        ("good.xml", GOOD, 0o644),
        ("bad.xml", BAD, 0o644),
    ]);
    let url = world.serve("1.0", &bytes);
    let answer = world
        .carry_out("install", 1, install(&url, &bytes, &home, "1.0"))
        .await;
    assert!(matches!(answer, Answer::Installed(_)));
    world.gateway.known().under_test = ("web1".to_owned(), "checkout 1.0".to_owned());
    world
}

async fn run(world: &mut World, attempt: u32, script: &str) -> Answer {
    let order = order(world, script);
    world.carry_out("test", attempt, order).await
}

fn order(world: &World, script: &str) -> events::Test {
    let home: PathBuf = world.home();
    test(&world.gateway.url("/under-test"), &home, script)
}

fn passed(answer: Answer) -> TestsPassed {
    match answer {
        Answer::TestsPassed(passed) => passed,
        other => panic!("not passed: {other:?}"),
    }
}

fn failed(answer: Answer) -> TestsFailed {
    match answer {
        Answer::TestsFailed(failed) => failed,
        other => panic!("not failed: {other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_suite_learns_whom_to_test_and_passes_by_its_results() {
    let mut world = installed().await;
    let script = "env; pwd; cp good.xml results.xml";
    let done = passed(run(&mut world, 1, script).await);
    let one = &done.suites[0];
    assert_eq!(
        (one.format.as_str(), one.total, one.passed),
        ("junit", 2, 2)
    );
    assert_eq!(one.results_sha256, Some(events::sha256(GOOD.as_bytes())));
    assert_eq!(
        done.answered_by,
        AnsweredBy {
            server: "web1".to_owned(),
            version: Some("1.0".to_owned()),
        }
    );
    let tail = &done.output.tail;
    for wanted in [
        &format!("TARGET_URL={}", world.gateway.url("/under-test")),
        "TARGET_HEADER=x-poolshift-server: web1",
        "EXPECT_SERVER=web1",
        "EXPECT_VERSION=1.0",
        "SUITE_KEY=***",
        "/releases/1.0\n",
    ] {
        assert!(tail.contains(wanted), "{wanted} in {tail}");
    }
    assert!(
        !tail.contains("hunter22") && !tail.contains("POOLSHIFT_"),
        "{tail}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_case_fails_whatever_the_exit_code_says() {
    let mut world = installed().await;
    let done = failed(run(&mut world, 1, "cp bad.xml results.xml; exit 0").await);
    assert_eq!(done.failure.reason, FailedBecause::CasesFailed);
    assert_eq!(
        done.failure.detail,
        "suite `smoke`: 1 of 1 failed, first: pays"
    );
    let case = &done.suites[0].cases[0];
    assert_eq!(
        (case.name.as_str(), case.message.as_str()),
        ("pays", "token=*** was refused")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_exit_code_alone_proves_nothing_in_either_direction() {
    let mut world = installed().await;
    let nothing = failed(run(&mut world, 1, "exit 0").await);
    assert_eq!(nothing.failure.reason, FailedBecause::NoResults);
    assert!(
        nothing.failure.detail.contains("exit code 0"),
        "{}",
        nothing.failure.detail
    );

    let done = failed(run(&mut world, 2, "cp good.xml results.xml; exit 3").await);
    assert_eq!(done.failure.reason, FailedBecause::ProgramFailed);
    let want = "suite `smoke`: all 2 tests passed, but the program ended with exit code 3";
    assert_eq!(done.failure.detail, want);
}

#[tokio::test(flavor = "multi_thread")]
async fn results_of_an_earlier_run_count_for_nothing() {
    let mut world = installed().await;
    passed(run(&mut world, 1, "cp good.xml results.xml").await);
    let done = failed(run(&mut world, 2, "exit 0").await);
    assert_eq!(done.failure.reason, FailedBecause::NoResults);
}

#[tokio::test(flavor = "multi_thread")]
async fn broken_empty_and_too_few_results_are_no_results() {
    let mut world = installed().await;
    for (attempt, script) in (1..).zip([
        "echo '<testsuite><testcase' > results.xml",
        "echo '<testsuite/>' > results.xml",
        ": > results.xml",
        "mkfifo results.xml",
    ]) {
        let done = failed(run(&mut world, attempt, script).await);
        assert_eq!(done.failure.reason, FailedBecause::NoResults, "{script}");
    }
    let mut few = order(&world, "cp good.xml results.xml");
    few.suites[0].at_least = 3;
    let done = failed(world.carry_out("test", 9, few).await);
    assert_eq!(
        done.failure.detail,
        "suite `smoke`: 2 of 2 ran, at least 3 must"
    );
    let mut outside = order(&world, "exit 0");
    outside.suites[0].results = "../results.xml".to_owned();
    let done = failed(world.carry_out("test", 10, outside).await);
    assert!(
        done.failure.detail.contains("below the release's folder"),
        "{:?}",
        done.failure
    );
    let done = failed(run(&mut world, 11, "mkdir results.xml").await);
    assert_eq!(done.failure.reason, FailedBecause::NoResults);
    // A folder is nobody's earlier results: it is not removed.
    let done = failed(run(&mut world, 12, "exit 0").await);
    assert!(
        done.failure.detail.contains("cannot remove"),
        "{:?}",
        done.failure
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_tested_when_another_server_answers() {
    let mut world = installed().await;
    world.gateway.known().under_test.0 = "web2".to_owned();
    let script = format!(
        "touch {}/tested; cp good.xml results.xml",
        world.home().display()
    );
    let done = failed(run(&mut world, 1, &script).await);
    assert_eq!(done.failure.reason, FailedBecause::WrongServer);
    assert!(
        done.failure
            .detail
            .contains("`web2` answered where `web1` was asked")
    );
    assert!(!world.home().join("tested").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn another_server_that_answers_after_the_suites_spoils_them() {
    let mut world = installed().await;
    let go = world.home().join("go");
    let script = format!(
        "touch {0}/began; while [ -e {0}/began ] && [ ! -e {0}/go ]; do sleep 0.02; done; cp good.xml results.xml",
        world.home().display()
    );
    let order = order(&world, &script);
    let command = world.command("test", 1, order);
    world.give_out(&command);
    world
        .see("the suite", || world.home().join("began").exists())
        .await;
    world.gateway.known().under_test.0 = "web2".to_owned();
    std::fs::write(go, "").expect("a file");
    let done = failed(world.answer_to(&command.id).await);
    assert_eq!(done.failure.reason, FailedBecause::WrongServer);
    assert_eq!(
        done.suites[0].passed, 2,
        "what they said is told all the same"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn all_suites_run_and_the_first_failure_is_named() {
    let mut world = installed().await;
    let mut three = order(&world, "cp good.xml results.xml");
    three.suites.push(suite("slow", "sleep 300"));
    three.suites[1].timeout_ms = 300;
    three.suites.push(suite("broken", "cp bad.xml results.xml"));
    let done = failed(world.carry_out("test", 1, three).await);
    assert_eq!(done.failure.reason, FailedBecause::TimedOut);
    assert!(
        done.failure.detail.starts_with("suite `slow`"),
        "{}",
        done.failure.detail
    );
    let counts: Vec<(u32, u32)> = done.suites.iter().map(|s| (s.passed, s.failed)).collect();
    assert_eq!(counts, [(2, 0), (0, 0), (0, 1)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_without_suites_proves_nothing() {
    let mut world = installed().await;
    let mut none = order(&world, "exit 0");
    none.suites.clear();
    let done = failed(world.carry_out("test", 1, none).await);
    assert_eq!(done.failure.reason, FailedBecause::NoResults);
}
