//! Programs of others: run once, told by their exit codes, ended with all that they started.

use std::path::Path;

use events::{Answer, FailedBecause, Install, InstallKind, Prove};

use crate::support::artifact::archive;
use crate::support::order::install;
use crate::world::{World, installed, not_installed, puppet, words};

/// A release whose own installer makes it run: what runs stands in a file.
fn by_command(world: &World, argv: Vec<String>) -> Install {
    let bytes = archive(&[("VERSION", "1.0", 0o644)]);
    let url = world.serve("1.0", &bytes);
    let mut order = install(&url, &bytes, Path::new(&world.windows_home("")), "1.0");
    order.method = InstallKind::Command;
    order.argv = argv;
    order.restart = words(&["cmd.exe", "/c", "copy current\\VERSION running"]);
    order.prove = Prove::Command {
        argv: words(&["cmd.exe", "/c", "type running"]),
    };
    order
}

/// An installer that says that it ran and waits until it may go on.
fn waits(world: &World) -> Vec<String> {
    puppet(&[
        "wait",
        &world.windows_home("ran"),
        &world.windows_home("go"),
    ])
}

fn ran(world: &World) -> usize {
    world.read("ran").lines().count()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_release_is_installed_by_its_own_installer_and_proved() {
    let mut world = World::start().await;
    let script = "echo %VERSION%& cd& set& type %ARTIFACT% >nul && echo found it";
    let order = by_command(&world, words(&["cmd.exe", "/c", script]));
    let done = installed(world.carry_out("install", 1, order).await);
    assert_eq!(done.proof.value, "1.0");
    assert_eq!((done.resumed, done.previous), (false, None));
    let tail = &done.output.tail;
    assert!(tail.contains("found it"), "{tail}");
    assert!(
        tail.contains("srv\\current"),
        "it runs in its release: {tail}"
    );
    assert!(
        !tail.contains("WINEPREFIX"),
        "a stranger's variable: {tail}"
    );
    assert_eq!(world.read("current/.poolshift-release"), "1.0");
}

#[tokio::test(flavor = "multi_thread")]
async fn how_a_program_ends_is_told() {
    let mut world = World::start().await;
    let order = by_command(&world, puppet(&["end", "5"]));
    let failed = not_installed(world.carry_out("install", 1, order).await);
    assert_eq!(failed.failure.reason, FailedBecause::ProgramFailed);
    assert_eq!(
        failed.failure.detail,
        "the installer ended with exit code 5"
    );
    // As a program ends that has reached for what is not its own.
    let order = by_command(&world, puppet(&["end", "3221225477"]));
    let failed = not_installed(world.carry_out("install", 2, order).await);
    let detail = &failed.failure.detail;
    assert!(detail.contains("0xc0000005"), "{detail}");
    let order = by_command(&world, words(&["no-such-program.exe"]));
    let failed = not_installed(world.carry_out("install", 3, order).await);
    let tail = &failed.output.tail;
    assert!(
        tail.contains("cannot start `no-such-program.exe`"),
        "{tail}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_that_does_not_end_in_its_time_is_ended_with_all_it_started() {
    let mut world = World::start().await;
    let order = by_command(&world, puppet(&["tree", &world.windows_home("beats")]));
    let mut command = world.command("install", 1, order);
    command.timeout_ms = 6_000;
    world.give_out(&command);
    world
        .see("the tree", |world| !world.read("beats").is_empty())
        .await;
    let failed = not_installed(world.answer_to(&command.id).await);
    assert_eq!(failed.failure.reason, FailedBecause::TimedOut);
    world.see_still("beats").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_program_leaves_running_when_it_ends_by_itself_goes_on() {
    let mut world = World::start().await;
    let order = by_command(&world, puppet(&["leave", &world.windows_home("beats")]));
    installed(world.carry_out("install", 1, order).await);
    let beats = world.read("beats").len();
    world
        .see("more beats", |world| world.read("beats").len() > beats)
        .await;
    world.write("beats.end", "");
    world.see_still("beats").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_installer_that_outlives_the_agent_is_awaited_and_never_run_again() {
    let mut world = World::start().await;
    let order = by_command(&world, waits(&world));
    let command = world.command("install", 1, order);
    world.give_out(&command);
    world.see("the installer", |world| ran(world) == 1).await;
    world.kill_agent();
    world.start_agent();
    world.write("go", "");
    let answer = world.answer_to(&command.id).await;
    // The restart comes after the installer, and had not begun: that is a new attempt's to do.
    let failed = not_installed(answer);
    assert_eq!(failed.failure.reason, FailedBecause::Interrupted);
    assert_eq!(
        failed.output.tail.trim(),
        "done",
        "the orphan's output is there"
    );
    assert_eq!(ran(&world), 1);
    let order = by_command(&world, waits(&world));
    installed(world.carry_out("install", 2, order).await);
    assert_eq!(ran(&world), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_orphan_that_does_not_end_in_its_time_is_ended_with_all_it_started() {
    let mut world = World::start().await;
    let order = by_command(&world, puppet(&["tree", &world.windows_home("beats")]));
    let mut command = world.command("install", 1, order);
    command.timeout_ms = 8_000;
    world.give_out(&command);
    world
        .see("the tree", |world| !world.read("beats").is_empty())
        .await;
    world.kill_agent();
    let beats = world.read("beats").len();
    world
        .see("a tree that outlives the agent", |world| {
            world.read("beats").len() > beats
        })
        .await;
    world.start_agent();
    let answer = world.answer_to(&command.id).await;
    let failed = not_installed(answer);
    assert_eq!(failed.failure.reason, FailedBecause::Interrupted);
    world.see_still("beats").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_at_any_moment_the_installer_runs_at_most_once_for_each_id() {
    let mut world = World::start().await;
    world.write("go", "");
    for (attempt, wait_ms) in (1..).zip([0, 60, 120, 180, 260, 400]) {
        let before = ran(&world);
        let order = by_command(&world, waits(&world));
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
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_release_with_long_paths_is_installed_and_removed() {
    let mut world = World::start().await;
    let deep = format!("{0}/{0}/{0}/deep", "d".repeat(90));
    let home = world.windows_home("");
    for (attempt, version) in (1..).zip(["1.0", "2.0", "3.0", "4.0"]) {
        let bytes = archive(&[("VERSION", version, 0o644), (&deep, version, 0o644)]);
        let url = world.serve(version, &bytes);
        let mut order = install(&url, &bytes, Path::new(&home), version);
        order.restart.clear();
        order.prove = Prove::Command {
            argv: words(&["cmd.exe", "/c", "type current\\VERSION"]),
        };
        order.keep = 2;
        installed(world.carry_out("install", attempt, order).await);
        assert_eq!(world.read(&format!("current/{deep}")), version);
    }
    let mut kept: Vec<_> = std::fs::read_dir(world.home().join("releases"))
        .expect("a folder")
        .map(|entry| entry.expect("an entry").file_name())
        .collect();
    kept.sort();
    assert_eq!(kept, ["3.0"], "beside `current`, which is 4.0");
}
