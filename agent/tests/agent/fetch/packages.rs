//! Packages of tests: fetched with the artifact, kept beside the release, and where suites run.

use std::path::Path;

use events::{Answer, FailedBecause, Failure, Fetch, Test};

use crate::support::{World, archive, artifact, fetch, install, test};

const GOOD: &str = "<testsuite><testcase name='a'/></testsuite>";

/// A release without suites of its own, and the order to fetch it with a package that has them.
fn order(world: &World, package: &[u8]) -> (Fetch, Vec<u8>) {
    let release = archive(&[("VERSION", "1.0", 0o644)]);
    let url = world.serve("1.0", &release);
    let order = Fetch {
        tests: Some(artifact(&world.serve("tests", package), package)),
        ..fetch(&url, &release, &world.home())
    };
    (order, release)
}

fn package() -> Vec<u8> {
    archive(&[("suite/good.xml", GOOD, 0o644)])
}

fn failure(answer: Answer) -> Failure {
    match answer {
        Answer::FetchFailed(failed) => failed.failure,
        Answer::TestsFailed(failed) => failed.failure,
        other => panic!("no failure: {other:?}"),
    }
}

fn run_suite(world: &World, order: &Fetch) -> Test {
    world.gateway.known().under_test = ("web1".to_owned(), "checkout 1.0".to_owned());
    Test {
        tests: order.tests.clone(),
        ..test(
            &world.gateway.url("/under-test"),
            &world.home(),
            "pwd; cp suite/good.xml results.xml",
        )
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn suites_run_in_the_package_that_was_fetched_with_their_release() {
    let mut world = World::start().await;
    let (order, release) = order(&world, &package());
    let fetched = world.carry_out("fetch", 1, order.clone()).await;
    assert!(matches!(fetched, Answer::Fetched(_)), "{fetched:?}");
    let folder = world.home().join(".tests/releases/1.0");
    assert!(folder.join("suite/good.xml").exists(), "before any install");

    let install = install(&order.artifact.url, &release, &world.home(), "1.0");
    world.carry_out("install", 1, install).await;
    let suites = run_suite(&world, &order);
    let Answer::TestsPassed(passed) = world.carry_out("test", 1, suites).await else {
        panic!("not passed");
    };
    let digest = order.tests.as_ref().map(|tests| tests.sha256);
    assert_eq!(passed.suites[0].tests_sha256, digest);
    assert!(
        passed.output.tail.contains("/.tests/releases/1.0\n"),
        "{}",
        passed.output.tail
    );
    assert!(!world.home().join("current/suite").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_package_that_is_gone_is_fetched_again_and_one_that_changed_is_not_run() {
    let mut world = World::start().await;
    let (order, release) = order(&world, &package());
    let install = install(&order.artifact.url, &release, &world.home(), "1.0");
    world.carry_out("install", 1, install).await;
    let suite = run_suite(&world, &order);
    let passed = world.carry_out("test", 1, suite).await;
    assert!(matches!(passed, Answer::TestsPassed(_)), "{passed:?}");

    std::fs::remove_dir_all(world.home().join(".tests")).expect("a folder");
    world.serve("tests", b"something else");
    let suite = run_suite(&world, &order);
    let failed = failure(world.carry_out("test", 2, suite).await);
    assert_eq!(failed.reason, FailedBecause::WrongDigest, "{failed:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_or_unsafe_package_fails_the_fetch_and_leaves_nothing() {
    let mut world = World::start().await;
    let (order, _) = order(&world, b"no archive");
    let failed = failure(world.carry_out("fetch", 1, order.clone()).await);
    assert_eq!(failed.reason, FailedBecause::BadArchive);
    assert!(
        failed.detail.starts_with("the package of tests: "),
        "{}",
        failed.detail
    );

    let mut large = order;
    if let Some(tests) = &mut large.tests {
        tests.max_bytes = 3;
    }
    std::fs::remove_dir_all(world.home().join(".tests")).expect("a folder");
    let failed = failure(world.carry_out("fetch", 2, large).await);
    assert_eq!(failed.reason, FailedBecause::TooLarge);
    assert_eq!(names(&world.home().join(".tests/releases")), [""; 0]);
}

fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).expect("a folder");
    entries
        .map(|entry| entry.expect("an entry").file_name().display().to_string())
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn packages_go_with_their_releases() {
    let mut world = World::start().await;
    for (attempt, version) in (1..).zip(["1.0", "1.1", "1.2", "1.3"]) {
        let release = archive(&[("VERSION", version, 0o644)]);
        let url = world.serve(version, &release);
        let bytes = archive(&[("suite", version, 0o644)]);
        let order = Fetch {
            version: version.parse().expect("a version"),
            tests: Some(artifact(&world.serve("tests", &bytes), &bytes)),
            ..fetch(&url, &release, &world.home())
        };
        world.carry_out("fetch", attempt, order).await;
        let mut install = install(&url, &release, &world.home(), version);
        install.keep = 2;
        let done = world.carry_out("install", attempt, install).await;
        assert!(matches!(done, Answer::Installed(_)), "{done:?}");
    }
    let mut kept = names(&world.home().join(".tests/releases"));
    kept.sort();
    assert_eq!(kept, ["1.2", "1.3"]);
    assert_eq!(names(&world.home().join(".tests/.fetch")).len(), 2);
}
