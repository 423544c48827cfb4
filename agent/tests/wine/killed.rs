//! `kill -9` of the agent at each moment of an installation that stops, switches and starts.

use std::path::Path;
use std::process::Child;

use events::{Answer, FailedBecause, Install, Prove};

use crate::support::artifact::archive;
use crate::support::order::install;
use crate::world::{World, installed, not_installed, puppet, wine, words};

/// A version that a file says to run. Each stop and each start is counted in a file too.
fn order(world: &World, version: &str) -> Install {
    let bytes = archive(&[("VERSION", version, 0o644)]);
    let url = world.serve(version, &bytes);
    let mut order = install(&url, &bytes, Path::new(&world.windows_home("")), version);
    order.stop = words(&["cmd.exe", "/c", "echo stop>>stops"]);
    let start = "echo start>>starts& copy current\\VERSION running";
    order.restart = words(&["cmd.exe", "/c", start]);
    order.prove = Prove::Command {
        argv: words(&["cmd.exe", "/c", "type running"]),
    };
    order
}

/// 1.0 runs, and 2.0 lies beside it.
async fn world_with_two() -> World {
    let mut world = World::start().await;
    for (attempt, version) in (1..).zip(["1.0", "2.0", "1.0"]) {
        let order = order(&world, version);
        installed(world.carry_out("install", attempt, order).await);
    }
    for counted in ["starts", "stops"] {
        assert_eq!(count(&world, counted), 3);
        std::fs::remove_file(world.home().join(counted)).expect("a file");
    }
    world
}

fn count(world: &World, name: &str) -> usize {
    world.read(name).lines().count()
}

fn current(world: &World) -> String {
    world.read("current/.poolshift-release")
}

/// Somebody who keeps a file open, and lets others do no more than read it.
struct Holder {
    process: Child,
    go: std::path::PathBuf,
}

impl Holder {
    async fn of(world: &World, file: &str) -> Self {
        let mark = format!("hold{}", file.replace(['/', '.'], "-"));
        let go = format!("{mark}-go");
        let words = puppet(&[
            "hold",
            &world.windows_home(file),
            &world.windows_home(&mark),
            &world.windows_home(&go),
        ]);
        let process = wine(&words[0]).args(&words[1..]).spawn().expect("wine");
        world
            .see("the file held", |world| !world.read(&mark).is_empty())
            .await;
        Self {
            process,
            go: world.home().join(go),
        }
    }

    fn let_go(mut self) {
        std::fs::write(&self.go, "").expect("a file");
        assert!(self.process.wait().expect("it ran").success());
    }
}

/// The agent is killed where it is, and a new one finds out.
fn kill(world: &mut World) {
    world.kill_agent();
    world.start_agent();
}

fn has_plan(world: &World) -> bool {
    world.home().join(".switch.json").exists()
}

/// Nothing had been switched: the former version was started again, and the next attempt is good.
async fn is_as_before(world: &mut World, answer: Answer) {
    let failed = not_installed(answer);
    assert_eq!(failed.failure.reason, FailedBecause::Interrupted);
    assert_eq!((count(world, "stops"), count(world, "starts")), (1, 1));
    assert_eq!(
        (current(world).as_str(), world.read("running").as_str()),
        ("1.0", "1.0")
    );
    assert!(!has_plan(world));
    let again = order(world, "2.0");
    installed(world.carry_out("install", 5, again).await);
    assert_eq!(
        (current(world).as_str(), world.read("running").as_str()),
        ("2.0", "2.0")
    );
}

/// It was switched: the new version runs, started once.
fn is_done(world: &World, answer: Answer) {
    assert!(installed(answer).resumed);
    assert_eq!((count(world, "stops"), count(world, "starts")), (1, 1));
    assert_eq!(
        (current(world).as_str(), world.read("running").as_str()),
        ("2.0", "2.0")
    );
    assert_eq!(world.read("releases/1.0/VERSION"), "1.0");
    assert!(!has_plan(world));
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_in_the_stop_the_former_version_is_started_again() {
    let mut world = world_with_two().await;
    let mut order = order(&world, "2.0");
    order.stop = puppet(&[
        "wait",
        &world.windows_home("stops"),
        &world.windows_home("go"),
    ]);
    let command = world.command("install", 4, order);
    world.give_out(&command);
    world
        .see("the stop", |world| count(world, "stops") == 1)
        .await;
    kill(&mut world);
    world.write("go", "");
    let answer = world.answer_to(&command.id).await;
    is_as_before(&mut world, answer).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_before_the_first_rename_the_former_version_is_started_again() {
    let mut world = world_with_two().await;
    let holder = Holder::of(&world, "current/VERSION").await;
    let order = order(&world, "2.0");
    let command = world.command("install", 4, order);
    world.give_out(&command);
    world.see("the plan", has_plan).await;
    kill(&mut world);
    holder.let_go();
    let answer = world.answer_to(&command.id).await;
    is_as_before(&mut world, answer).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_between_the_renames_the_new_version_comes_and_is_started_once() {
    let mut world = world_with_two().await;
    let holder = Holder::of(&world, "releases/2.0/VERSION").await;
    let order = order(&world, "2.0");
    let command = world.command("install", 4, order);
    world.give_out(&command);
    world
        .see("no `current`", |world| {
            !world.home().join("current").exists()
        })
        .await;
    kill(&mut world);
    holder.let_go();
    let answer = world.answer_to(&command.id).await;
    is_done(&world, answer);
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_after_the_second_rename_the_new_version_is_started_once() {
    let mut world = world_with_two().await;
    let first = Holder::of(&world, "current/VERSION").await;
    let order = order(&world, "2.0");
    let command = world.command("install", 4, order);
    world.give_out(&command);
    world.see("the plan", has_plan).await;
    let second = Holder::of(&world, ".switch.json").await;
    first.let_go();
    world
        .see("2.0 as `current`", |world| current(world) == "2.0")
        .await;
    assert!(has_plan(&world));
    kill(&mut world);
    second.let_go();
    let answer = world.answer_to(&command.id).await;
    is_done(&world, answer);
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_in_the_start_it_is_awaited_and_not_started_again() {
    let mut world = world_with_two().await;
    let mut order = order(&world, "2.0");
    order.restart = puppet(&[
        "wait",
        &world.windows_home("starts"),
        &world.windows_home("go"),
    ]);
    order.prove = Prove::Command {
        argv: words(&["cmd.exe", "/c", "type current\\VERSION"]),
    };
    let command = world.command("install", 4, order);
    world.give_out(&command);
    world
        .see("the start", |world| count(world, "starts") == 1)
        .await;
    kill(&mut world);
    world.write("go", "");
    let answer = world.answer_to(&command.id).await;
    world.write("running", "2.0");
    is_done(&world, answer);
}
