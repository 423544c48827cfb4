//! `kill -9` of the agent in the middle: nothing is run twice, and the truth is told.

use std::path::Path;

use events::{Answer, FailedBecause, Install, InstallKind, sha256};

use crate::support::{World, archive, install, test};

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|&word| word.to_owned()).collect()
}

/// An installer that says that it ran, waits until it may go on, and then makes the version run.
fn slow_installer(world: &World, home: &Path) -> Install {
    let bytes = archive(&[("VERSION", "1.0", 0o644)]);
    let url = world.serve("1.0", &bytes);
    let mut order = install(&url, &bytes, home, "1.0");
    let home = home.display();
    let script = format!(
        "echo ran >> {home}/ran; while [ ! -e {home}/go ]; do sleep 0.02; done; \
         cp VERSION {home}/running; echo done"
    );
    order.method = InstallKind::Command;
    order.argv = words(&["sh", "-c", &script]);
    order.restart.clear();
    order
}

fn ran(world: &World) -> usize {
    world.read(&world.home().join("ran")).lines().count()
}

fn interrupted(answer: &Answer) -> bool {
    let failure = match answer {
        Answer::InstallFailed(failed) => &failed.failure,
        Answer::TestsFailed(failed) => &failed.failure,
        Answer::FetchFailed(failed) => &failed.failure,
        other => panic!("not a failure: {other:?}"),
    };
    assert_eq!(failure.reason, FailedBecause::Interrupted, "{failure:?}");
    true
}

#[tokio::test(flavor = "multi_thread")]
async fn an_installer_that_outlives_the_agent_is_awaited_and_what_runs_is_proved() {
    let mut world = World::start().await;
    let home = world.home();
    let order = slow_installer(&world, &home);
    let command = world.command("install", 1, order);
    world.give_out(&command);
    world.see("the installer", || ran(&world) == 1).await;
    world.kill_agent();
    world.start_agent();
    std::fs::write(home.join("go"), "").expect("a file");
    let answer = world.answer_to(&command.id).await;
    let Answer::Installed(done) = answer else {
        panic!("not installed: {answer:?}");
    };
    assert!(done.resumed);
    assert_eq!(done.output.tail, "done\n", "the orphan's output is there");
    assert_eq!(ran(&world), 1, "exactly one line");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_installer_that_died_with_the_agent_is_not_run_again() {
    let mut world = World::start().await;
    let home = world.home();
    let mut order = slow_installer(&world, &home);
    let script = format!("echo $$ > {0}/pid; {1}", home.display(), order.argv[2]);
    order.argv[2] = script;
    let command = world.command("install", 1, order.clone());
    world.give_out(&command);
    world.see("the installer", || ran(&world) == 1).await;
    world.kill_agent();
    // As a crash of the whole machine would.
    let pid = world.read(&home.join("pid"));
    let killed = std::process::Command::new("kill")
        .args(["-9", pid.trim()])
        .status();
    assert!(killed.expect("kill").success());
    world.start_agent();
    assert!(interrupted(&world.answer_to(&command.id).await));
    assert_eq!(ran(&world), 1);

    // A new attempt has a new id, and is run.
    std::fs::write(home.join("go"), "").expect("a file");
    let answer = world.carry_out("install", 2, order).await;
    assert!(matches!(answer, Answer::Installed(_)), "{answer:?}");
    assert_eq!(ran(&world), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_orphan_that_does_not_end_in_its_time_is_ended() {
    let mut world = World::start().await;
    let home = world.home();
    let order = slow_installer(&world, &home);
    let mut command = world.command("install", 1, order);
    command.timeout_ms = 1_500;
    world.give_out(&command);
    world.see("the installer", || ran(&world) == 1).await;
    world.kill_agent();
    world.start_agent();
    assert!(interrupted(&world.answer_to(&command.id).await));
    std::fs::write(home.join("go"), "").expect("a file");
    let order = slow_installer(&world, &home);
    let answer = world.carry_out("install", 2, order).await;
    assert!(matches!(answer, Answer::Installed(_)), "{answer:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_archive_whose_restart_was_given_is_proved_after_a_crash() {
    let mut world = World::start().await;
    let home = world.home();
    let bytes = archive(&[("VERSION", "1.0", 0o644)]);
    let url = world.serve("1.0", &bytes);
    let mut order = install(&url, &bytes, &home, "1.0");
    let script =
        "echo ran >> ran; while [ ! -e go ]; do sleep 0.02; done; cp current/VERSION running";
    order.restart = words(&["sh", "-c", script]);
    let command = world.command("install", 1, order);
    world.give_out(&command);
    world.see("the restart", || ran(&world) == 1).await;
    world.kill_agent();
    std::fs::write(home.join("go"), "").expect("a file");
    world.start_agent();
    let answer = world.answer_to(&command.id).await;
    assert!(
        matches!(&answer, Answer::Installed(done) if done.resumed),
        "{answer:?}"
    );
    assert_eq!(ran(&world), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_archive_that_was_not_even_fetched_says_that_it_was_interrupted() {
    let mut world = World::start().await;
    let home = world.home();
    let bytes = archive(&[("VERSION", "1.0", 0o644)]);
    let url = world.serve("1.0", &bytes);
    world.gateway.known().hold_downloads = true;
    let command = world.command("install", 1, install(&url, &bytes, &home, "1.0"));
    world.give_out(&command);
    world.until_downloading("1.0").await;
    world.kill_agent();
    world.gateway.change(|known| known.hold_downloads = false);
    world.start_agent();
    assert!(interrupted(&world.answer_to(&command.id).await));
    assert!(!home.join("current").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_test_run_that_outlives_the_agent_is_ended_and_is_no_verdict() {
    let mut world = World::start().await;
    let home = world.home();
    let bytes = archive(&[("VERSION", "1.0", 0o644)]);
    let url = world.serve("1.0", &bytes);
    world
        .carry_out("install", 1, install(&url, &bytes, &home, "1.0"))
        .await;
    world.gateway.known().under_test = ("web1".to_owned(), "1.0".to_owned());
    let script = format!("echo $$ > {}/pid; sleep 300", home.display());
    let url = world.gateway.url("/under-test");
    let command = world.command("test", 1, test(&url, &home, &script));
    world.give_out(&command);
    world
        .see("the suite", || {
            world.read(&home.join("pid")).ends_with('\n')
        })
        .await;
    let pid: u32 = world
        .read(&home.join("pid"))
        .trim()
        .parse()
        .expect("a process");
    world.kill_agent();
    assert!(
        poolshift_agent::platform::born(pid).is_some(),
        "it outlives the agent"
    );
    world.start_agent();
    assert!(interrupted(&world.answer_to(&command.id).await));
    assert_eq!(poolshift_agent::platform::born(pid), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fetch_that_had_ended_counts_and_one_that_had_not_is_interrupted() {
    let mut world = World::start().await;
    let home = world.home();
    let bytes = archive(&[("VERSION", "1.0", 0o644)]);
    let url = world.serve("1.0", &bytes);
    world.gateway.known().hold_downloads = true;
    let command = world.command("fetch", 1, crate::support::fetch(&url, &bytes, &home));
    world.give_out(&command);
    world.until_downloading("1.0").await;
    world.kill_agent();
    let digest = sha256(&bytes).to_string().replace("sha256:", "");
    std::fs::write(home.join(".fetch").join(digest), &bytes).expect("a file");
    world.start_agent();
    let answer = world.answer_to(&command.id).await;
    assert!(matches!(answer, Answer::Fetched(_)), "{answer:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_at_any_moment_the_installer_runs_at_most_once_for_each_id() {
    let mut world = World::start().await;
    let home = world.home();
    std::fs::write(home.join("go"), "").expect("a file");
    for (attempt, wait_ms) in (1..).zip([0, 3, 6, 9, 12, 15, 20, 25, 30, 40, 50, 70]) {
        let before = ran(&world);
        let order = slow_installer(&world, &home);
        let command = world.command("install", attempt, order);
        world.give_out(&command);
        tokio::time::sleep(std::time::Duration::from_millis(wait_ms)).await;
        world.kill_agent();
        world.start_agent();
        let answer = world.answer_to(&command.id).await;
        let runs = ran(&world) - before;
        assert!(runs <= 1, "{attempt}: ran {runs} times: {answer:?}");
        if matches!(answer, Answer::Installed(_)) {
            assert_eq!(runs, 1, "{attempt}: {answer:?}");
        } else {
            assert!(interrupted(&answer));
        }
    }
}
