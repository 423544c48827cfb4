//! `Fetch`: verified bytes on the machine, or a clear answer and no trace.

mod archives;
mod hosts;
mod packages;

use std::path::Path;

use crate::support::{World, fetch};
use events::{Answer, FailedBecause, Failure};

fn failure(answer: Answer) -> Failure {
    match answer {
        Answer::FetchFailed(failed) => failed.failure,
        other => panic!("not a failed fetch: {other:?}"),
    }
}

fn files(into: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(into.join(".fetch")).expect("a folder");
    entries
        .map(|e| e.expect("a file").file_name().into_string().expect("text"))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_there_already_is_not_downloaded_unless_it_is_damaged() {
    let mut world = World::start().await;
    let bytes = crate::support::archive(&[("VERSION", "1.0", 0o644)]);
    let url = world.serve("a", &bytes);
    let into = world.home();
    let order = fetch(&url, &bytes, &into);
    let file = into
        .join(".fetch")
        .join(order.artifact.sha256.to_string().replace("sha256:", ""));
    let downloads = |world: &World| {
        let known = world.gateway.known();
        known
            .requests
            .iter()
            .filter(|path| path.starts_with("/artifacts"))
            .count()
    };
    for (attempt, want) in [(1, 1), (2, 1)] {
        assert!(matches!(
            world.carry_out("fetch", attempt, order.clone()).await,
            Answer::Fetched(_)
        ));
        assert_eq!(downloads(&world), want);
    }
    std::fs::write(&file, "damaged").expect("a file");
    assert!(matches!(
        world.carry_out("fetch", 3, order).await,
        Answer::Fetched(_)
    ));
    assert_eq!(downloads(&world), 2);
    assert_eq!(std::fs::read(&file).expect("a file"), bytes);
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_large_or_missing_artifacts_fail_and_leave_nothing() {
    let mut world = World::start().await;
    let bytes = crate::support::archive(&[("VERSION", "1.0", 0o644)]);
    let url = world.serve("a", &bytes);
    let into = world.home();

    let other = fetch(&url, b"other bytes", &into);
    let failed = failure(world.carry_out("fetch", 1, other).await);
    assert_eq!(failed.reason, FailedBecause::WrongDigest);

    let mut large = fetch(&url, &bytes, &into);
    large.artifact.max_bytes = bytes.len() as u64 - 1;
    let failed = failure(world.carry_out("fetch", 2, large).await);
    assert_eq!(failed.reason, FailedBecause::TooLarge);

    let missing = fetch(
        &world.gateway.url("/artifacts/none?token=s3cr3t"),
        &bytes,
        &into,
    );
    let failed = failure(world.carry_out("fetch", 3, missing).await);
    assert_eq!(failed.reason, FailedBecause::Unreachable);
    assert!(!failed.detail.contains("s3cr3t"), "{}", failed.detail);

    let nobody = fetch("http://127.0.0.1:9/a?token=s3cr3t", &bytes, &into);
    let failed = failure(world.carry_out("fetch", 4, nobody).await);
    assert_eq!(failed.reason, FailedBecause::Unreachable);
    assert!(!failed.detail.contains("s3cr3t"), "{}", failed.detail);

    let mut with_login = fetch(&url, &bytes, &into);
    with_login.credentials_name = Some("nexus".to_owned());
    let failed = failure(world.carry_out("fetch", 5, with_login).await);
    assert!(failed.detail.contains("`nexus`"), "{}", failed.detail);

    assert_eq!(files(&into), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_download_is_given_up_for_a_newer_command() {
    let mut world = World::start().await;
    let bytes = crate::support::archive(&[("VERSION", "1.0", 0o644)]);
    let url = world.serve("a", &bytes);
    let into = world.home();
    world.gateway.known().hold_downloads = true;
    let held = world.command("fetch", 1, fetch(&url, &bytes, &into));
    world.give_out(&held);
    world.until_downloading("a").await;
    world.idle_after(&held);
    let newer = world.command("fetch", 2, fetch(&url, &bytes, &into));
    world.give_out(&newer);
    world
        .see("the end of the download", || {
            world.log().contains("given up for a newer one")
        })
        .await;
    world.gateway.change(|known| known.hold_downloads = false);
    assert!(matches!(
        world.answer_to(&newer.id).await,
        Answer::Fetched(_)
    ));
    let about_held = world
        .answers()
        .into_iter()
        .filter(|a| a.command() == Some(&held.id));
    let kinds: Vec<_> = about_held.map(|answer| answer.kind()).collect();
    assert_eq!(
        kinds,
        ["poolshift.command-started"],
        "nobody waits for its answer"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_download_that_does_not_end_in_its_time_times_out() {
    let mut world = World::start().await;
    let bytes = crate::support::archive(&[("VERSION", "1.0", 0o644)]);
    let url = world.serve("a", &bytes);
    let into = world.home();
    world.gateway.known().hold_downloads = true;
    let mut command = world.command("fetch", 1, fetch(&url, &bytes, &into));
    command.timeout_ms = 300;
    world.give_out(&command);
    let failed = failure(world.answer_to(&command.id).await);
    assert_eq!(failed.reason, FailedBecause::TimedOut);
}
