//! `Install` of a service that is stopped before its files are switched.

use events::{Answer, FailedBecause, Install, InstallFailed, InstallKind};

use crate::support::{World, archive, install};

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|&word| word.to_owned()).collect()
}

/// Each stop and each start leaves a line with the version that `current` has at that moment.
fn order(world: &World, version: &str) -> Install {
    let bytes = archive(&[("VERSION", version, 0o644)]);
    let url = world.serve(version, &bytes);
    let mut order = install(&url, &bytes, &world.home(), version);
    let stop = "echo \"stop $(cat current/VERSION)\" >> steps";
    let start = "echo \"start $(cat current/VERSION)\" >> steps; cp current/VERSION running";
    order.stop = words(&["sh", "-c", stop]);
    order.restart = words(&["sh", "-c", start]);
    order
}

fn steps(world: &World) -> Vec<String> {
    let steps = world.read(&world.home().join("steps"));
    steps.lines().map(str::to_owned).collect()
}

fn failed(answer: Answer) -> InstallFailed {
    match answer {
        Answer::InstallFailed(failed) => failed,
        other => panic!("not a failed installation: {other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_stopped_switched_and_started_however_the_stop_ends() {
    let mut world = World::start().await;
    for (attempt, version) in (1..).zip(["1.0", "2.0"]) {
        let mut order = order(&world, version);
        // Nothing ran that could be stopped.
        order
            .stop
            .last_mut()
            .expect("a script")
            .push_str("; exit 2");
        let answer = world.carry_out("install", attempt, order).await;
        assert!(matches!(answer, Answer::Installed(_)), "{answer:?}");
    }
    assert_eq!(
        steps(&world),
        ["stop ", "start 1.0", "stop 1.0", "start 2.0"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_switch_that_fails_the_former_version_is_started_again() {
    let mut world = World::start().await;
    // Somebody's own folder, which is not for us to replace.
    let theirs = world.home().join("current");
    std::fs::create_dir(&theirs).expect("a folder");
    std::fs::write(theirs.join("VERSION"), "theirs").expect("a file");
    let order = order(&world, "1.0");
    let failed = failed(world.carry_out("install", 1, order).await);
    let detail = failed.failure.detail;
    assert!(detail.contains("switch"), "{detail}");
    assert!(
        detail.contains("the former version was started again"),
        "{detail}"
    );
    assert_eq!(steps(&world), ["stop theirs", "start theirs"]);
}

/// The release 2.0 comes with an installer of its own, which does this, where 1.0 runs.
async fn installer(world: &mut World, script: &str) -> Install {
    let first = order(world, "1.0");
    let answer = world.carry_out("install", 1, first).await;
    assert!(matches!(answer, Answer::Installed(_)), "{answer:?}");
    let mut order = order(world, "2.0");
    order.method = InstallKind::Command;
    order.argv = words(&["sh", "-c", script]);
    order
}

#[tokio::test(flavor = "multi_thread")]
async fn after_an_installer_that_fails_the_former_release_is_current_and_started_again() {
    let mut world = World::start().await;
    let order = installer(&mut world, "exit 3").await;
    let failed = failed(world.carry_out("install", 2, order).await);
    assert_eq!(failed.failure.reason, FailedBecause::ProgramFailed);
    assert_eq!(
        failed.failure.detail,
        "the installer ended with exit code 3; `current` is `1.0` again; the service was started \
         again"
    );
    let wanted = ["stop ", "start 1.0", "stop 1.0", "start 1.0"];
    assert_eq!(steps(&world), wanted);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_installer_that_does_not_end_leaves_time_to_start_the_service_again() {
    let mut world = World::start().await;
    let order = installer(&mut world, "sleep 600").await;
    let mut command = world.command("install", 2, order);
    command.timeout_ms = 4_000;
    world.give_out(&command);
    let failed = failed(world.answer_to(&command.id).await);
    assert_eq!(failed.failure.reason, FailedBecause::TimedOut);
    let detail = failed.failure.detail;
    assert!(
        detail.ends_with("the service was started again"),
        "{detail}"
    );
    let wanted = ["stop ", "start 1.0", "stop 1.0", "start 1.0"];
    assert_eq!(steps(&world), wanted);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_cannot_be_started_again_is_said_to_be_stopped() {
    let mut world = World::start().await;
    let order = installer(&mut world, "exit 3").await;
    let restarts = [
        (
            words(&["sh", "-c", "exit 4"]),
            "the restart ended with exit code 4",
        ),
        (Vec::new(), "no `restart` says how to start it"),
    ];
    for (attempt, (restart, why)) in (2..).zip(restarts) {
        let order = Install {
            restart,
            ..order.clone()
        };
        let failed = failed(world.carry_out("install", attempt, order).await);
        let detail = failed.failure.detail;
        let wanted = format!("; `current` is `1.0` again; the service is stopped: {why}");
        assert!(detail.ends_with(&wanted), "{detail}");
    }
    assert_eq!(
        steps(&world),
        ["stop ", "start 1.0", "stop 1.0", "stop 1.0"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_killed_agent_had_stopped_is_started_again_once() {
    let mut world = World::start().await;
    let first = order(&world, "1.0");
    let answer = world.carry_out("install", 1, first).await;
    assert!(matches!(answer, Answer::Installed(_)), "{answer:?}");
    let mut order = order(&world, "2.0");
    let wait = "; while [ ! -e go ]; do sleep 0.02; done";
    order.stop.last_mut().expect("a script").push_str(wait);
    let command = world.command("install", 2, order);
    world.give_out(&command);
    world.see("the stop", || steps(&world).len() == 3).await;
    world.kill_agent();
    std::fs::write(world.home().join("go"), "").expect("a file");
    world.start_agent();
    let failed = failed(world.answer_to(&command.id).await);
    assert_eq!(failed.failure.reason, FailedBecause::Interrupted);
    let wanted = ["stop ", "start 1.0", "stop 1.0", "start 1.0"];
    assert_eq!(steps(&world), wanted);
    // Another life asks nobody again.
    world.kill_agent();
    world.start_agent();
    assert_eq!(
        world.answer_to(&command.id).await.command(),
        Some(&command.id)
    );
    assert_eq!(steps(&world), wanted);
}
