//! `Install`: by archive and by command, forward and back.

mod own;
mod stopping;

use std::collections::BTreeMap;

use events::{
    Answer, FailedBecause, Failure, InstallKind, Installed, Prove, Purpose, Release, sha256,
};

use crate::support::{World, archive, install};

fn installed(answer: Answer) -> Installed {
    match answer {
        Answer::Installed(installed) => installed,
        other => panic!("not installed: {other:?}"),
    }
}

fn failure(answer: Answer) -> Failure {
    match answer {
        Answer::InstallFailed(failed) => failed.failure,
        other => panic!("not a failed installation: {other:?}"),
    }
}

fn build(version: &str) -> Vec<u8> {
    archive(&[
        ("VERSION", version, 0o644),
        ("bin/start", "#!/bin/sh\n", 0o755),
    ])
}

fn downloads(world: &World) -> usize {
    let known = world.gateway.known();
    known
        .requests
        .iter()
        .filter(|path| path.starts_with("/artifacts"))
        .count()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_archive_is_unpacked_switched_to_restarted_and_proved() {
    use std::os::unix::fs::PermissionsExt as _;
    let mut world = World::start().await;
    let home = world.home();
    let bytes = build("1.0");
    let url = world.serve("1.0", &bytes);
    let done = installed(
        world
            .carry_out("install", 1, install(&url, &bytes, &home, "1.0"))
            .await,
    );
    assert_eq!(done.version.as_str(), "1.0");
    assert_eq!(done.sha256_runs, sha256(&bytes));
    assert_eq!(
        (done.proof.kind.as_str(), done.proof.value.as_str()),
        ("command", "1.0")
    );
    assert_eq!((done.previous, done.resumed), (None, false));
    let current = std::fs::read_link(home.join("current")).expect("a link");
    assert_eq!(current.to_str(), Some("releases/1.0"));
    let start = std::fs::metadata(home.join("current/bin/start")).expect("unpacked");
    assert_eq!(start.permissions().mode() & 0o777, 0o755);

    let bytes_2 = build("2.0");
    let url_2 = world.serve("2.0", &bytes_2);
    let order = install(&url_2, &bytes_2, &home, "2.0");
    let done = installed(world.carry_out("install", 2, order).await);
    let previous = Release {
        version: "1.0".parse().expect("a version"),
        sha256: sha256(&bytes),
    };
    assert_eq!(done.previous, Some(previous));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_way_back_needs_no_network() {
    let mut world = World::start().await;
    let home = world.home();
    let mut orders = BTreeMap::new();
    for (attempt, version) in [(1, "1.0"), (2, "2.0")] {
        let bytes = build(version);
        let url = world.serve(version, &bytes);
        let order = install(&url, &bytes, &home, version);
        installed(world.carry_out("install", attempt, order.clone()).await);
        orders.insert(version, order);
    }
    world.gateway.known().artifacts.clear();
    let before = downloads(&world);
    let mut back = orders.remove("1.0").expect("an order");
    back.purpose = Purpose::Back;
    let done = installed(world.carry_out("back-install", 1, back).await);
    assert_eq!(done.version.as_str(), "1.0");
    assert_eq!(world.read(&home.join("running")), "1.0");
    assert_eq!(downloads(&world), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn as_many_releases_stay_as_asked_for_and_always_the_current_and_the_previous_one() {
    let mut world = World::start().await;
    let home = world.home();
    for (attempt, version) in (1..).zip(["1.0", "2.0", "3.0", "4.0", "5.0"]) {
        let bytes = build(version);
        let url = world.serve(version, &bytes);
        installed(
            world
                .carry_out("install", attempt, install(&url, &bytes, &home, version))
                .await,
        );
    }
    let names = |folder: &str| {
        let entries = std::fs::read_dir(home.join(folder)).expect("a folder");
        let names = entries.map(|e| {
            e.expect("an entry")
                .file_name()
                .into_string()
                .expect("text")
        });
        let mut names: Vec<String> = names.collect();
        names.sort();
        names
    };
    assert_eq!(names("releases"), ["3.0", "4.0", "5.0"]);
    assert_eq!(names(".fetch").len(), 3);
    let bytes = build("6.0");
    let url = world.serve("6.0", &bytes);
    let mut order = install(&url, &bytes, &home, "6.0");
    order.keep = 1;
    installed(world.carry_out("install", 9, order).await);
    assert_eq!(names("releases"), ["5.0", "6.0"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_that_runs_is_never_replaced_by_other_bytes_of_the_same_name() {
    let mut world = World::start().await;
    let home = world.home();
    let bytes = build("1.0");
    let url = world.serve("1.0", &bytes);
    installed(
        world
            .carry_out("install", 1, install(&url, &bytes, &home, "1.0"))
            .await,
    );
    let other = archive(&[("VERSION", "1.0", 0o644), ("more", "", 0o644)]);
    let url = world.serve("1.0b", &other);
    let order = install(&url, &other, &home, "1.0");
    let failed = failure(world.carry_out("install", 2, order.clone()).await);
    assert_eq!(failed.reason, FailedBecause::WrongDigest);
    assert!(
        failed.detail.contains("a version of its own"),
        "{}",
        failed.detail
    );

    let bytes_2 = build("2.0");
    let url_2 = world.serve("2.0", &bytes_2);
    installed(
        world
            .carry_out("install", 3, install(&url_2, &bytes_2, &home, "2.0"))
            .await,
    );
    // Now it does not run any more.
    installed(world.carry_out("install", 4, order).await);
    assert!(home.join("current/more").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_digest_is_verified_again_before_anything_is_touched() {
    let mut world = World::start().await;
    let home = world.home();
    let bytes = build("1.0");
    let url = world.serve("1.0", b"something else");
    let failed = failure(
        world
            .carry_out("install", 1, install(&url, &bytes, &home, "1.0"))
            .await,
    );
    assert_eq!(failed.reason, FailedBecause::WrongDigest);
    assert!(!home.join("current").exists());
    assert!(!home.join("releases/1.0").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_come_to_run_is_a_failure_that_says_why() {
    let mut world = World::start().await;
    let home = world.home();
    let bytes = archive(&[("VERSION", "1.10", 0o644)]);
    let url = world.serve("1.1", &bytes);

    // It says 1.10 where 1.1 was asked for.
    let mut command = world.command("install", 1, install(&url, &bytes, &home, "1.1"));
    command.timeout_ms = 500;
    world.give_out(&command);
    let failed = failure(world.answer_to(&command.id).await);
    assert_eq!(failed.reason, FailedBecause::WrongVersion);
    assert!(failed.detail.contains("1.10"), "{}", failed.detail);

    let mut restart_fails = install(&url, &bytes, &home, "1.1");
    restart_fails.restart = ["sh", "-c", "echo no such unit; exit 5"]
        .map(str::to_owned)
        .to_vec();
    let answer = world.carry_out("install", 2, restart_fails).await;
    let Answer::InstallFailed(failed) = answer else {
        panic!("installed");
    };
    assert_eq!(failed.failure.reason, FailedBecause::ProgramFailed);
    assert_eq!(failed.failure.detail, "the restart ended with exit code 5");
    assert_eq!(failed.output.tail, "no such unit\n");

    let mut no_program = install(&url, &bytes, &home, "1.1");
    no_program.restart = vec!["/no/such/program".to_owned()];
    let answer = world.carry_out("install", 3, no_program).await;
    let Answer::InstallFailed(failed) = answer else {
        panic!("installed");
    };
    assert_eq!(failed.failure.reason, FailedBecause::ProgramFailed);
    assert!(
        failed
            .output
            .tail
            .contains("cannot start `/no/such/program`"),
        "{:?}",
        failed.output
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_proves_itself_over_http_once_it_is_ready() {
    let mut world = World::start().await;
    let home = world.home();
    let bytes = build("1.0");
    let url = world.serve("1.0", &bytes);
    let mut order = install(&url, &bytes, &home, "1.0");
    // Handed to a manager that starts it half a second later, as `systemctl` may.
    let start = "(sleep 0.5; cp current/VERSION running) & exit 0";
    order.restart = ["sh", "-c", start].map(str::to_owned).to_vec();
    let says = format!("/say{}", home.join("running").display());
    order.prove = Prove::Http {
        url: world.gateway.url(&says),
    };
    let done = installed(world.carry_out("install", 1, order).await);
    assert_eq!(done.proof.kind, "http");
    assert!(done.took_ms >= 500, "{}", done.took_ms);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_gets_its_release_and_nothing_of_the_agents_own_environment() {
    let mut world = World::enrolled().await;
    world
        .environment
        .push(("DB_KEY".to_owned(), "hunter22".to_owned()));
    world.start_agent();
    let home = world.home();
    let bytes = build("1.0");
    let url = world.serve("1.0", &bytes);
    let mut order = install(&url, &bytes, &home, "1.0");
    order.method = InstallKind::Command;
    order.restart.clear();
    let script = format!(
        "env; pwd; cat VERSION; cp VERSION {}/running; echo password=s3cr3t",
        home.display()
    );
    order.argv = ["sh", "-c", &script].map(str::to_owned).to_vec();
    let done = installed(world.carry_out("install", 1, order).await);
    let tail = &done.output.tail;
    for wanted in [
        "VERSION=1.0",
        "PREVIOUS=\n",
        &format!("ARTIFACT={}", home.join(".fetch").display()),
        "/releases/1.0\n",
        "password=***",
    ] {
        assert!(tail.contains(wanted), "{wanted} in {tail}");
    }
    for secret in ["DB_KEY", "hunter22", "POOLSHIFT_", "s3cr3t", "CARGO"] {
        assert!(!tail.contains(secret), "{secret} in {tail}");
    }
    assert_eq!(done.output.masked, 1);
    assert_eq!(done.output.sha256, Some(sha256(tail.as_bytes())));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_installer_that_does_not_end_is_ended_with_all_it_started() {
    let mut world = World::start().await;
    let home = world.home();
    let bytes = build("1.0");
    let url = world.serve("1.0", &bytes);
    let mut order = install(&url, &bytes, &home, "1.0");
    order.method = InstallKind::Command;
    let script = format!("sleep 300 & echo $! > {}/child; wait", home.display());
    order.argv = ["sh", "-c", &script].map(str::to_owned).to_vec();
    let mut command = world.command("install", 1, order);
    command.timeout_ms = 700;
    world.give_out(&command);
    assert_eq!(
        failure(world.answer_to(&command.id).await).reason,
        FailedBecause::TimedOut
    );
    let child: u32 = world
        .read(&home.join("child"))
        .trim()
        .parse()
        .expect("a process");
    world
        .see("the child's end", || {
            poolshift_agent::platform::born(child).is_none()
        })
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_output_is_kept_by_its_end() {
    let mut world = World::start().await;
    let home = world.home();
    let bytes = build("1.0");
    let url = world.serve("1.0", &bytes);
    let mut order = install(&url, &bytes, &home, "1.0");
    let script = "seq 1 20000; cp current/VERSION running";
    order.restart = ["sh", "-c", script].map(str::to_owned).to_vec();
    let done = installed(world.carry_out("install", 1, order).await);
    assert!(done.output.truncated);
    assert!(done.output.tail.len() <= 2048);
    assert!(
        done.output.tail.ends_with("20000\n"),
        "{}",
        done.output.tail
    );
    assert_eq!(done.output.bytes, 108_894);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_whose_folder_is_no_absolute_path_is_refused() {
    let mut world = World::start().await;
    let bytes = build("1.0");
    let url = world.serve("1.0", &bytes);
    let order = install(&url, &bytes, std::path::Path::new("srv/checkout"), "1.0");
    let failed = failure(world.carry_out("install", 1, order).await);
    assert!(
        failed.detail.contains("write an absolute path"),
        "{}",
        failed.detail
    );
}
