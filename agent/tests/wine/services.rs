//! Services of Windows' service manager: the one that is rolled out, and the agent itself.

use std::net::TcpListener;
use std::path::Path;

use events::{Answer, FailedBecause, Install, Prove, TestsPassed};

use crate::support::order::{fetch, install, test};
use crate::world::{World, installed, not_installed, program, puppet, run, windows, wine, words};

/// A service of the manager; it goes with its test.
struct Service(String);

impl Service {
    fn create(name: &str, command: &str) -> Self {
        // One of a run that was killed, or that could not be deleted while it ran, is in the way.
        run("sc.exe", &["delete", name]);
        let (is_good, said) = run("sc.exe", &["create", name, "binPath=", command]);
        assert!(is_good, "`{name}` is not created: {said}");
        Self(name.to_owned())
    }

    fn state(&self) -> String {
        run("sc.exe", &["query", &self.0]).1
    }

    fn by_agent(&self, verb: &str) -> Vec<String> {
        let agent = windows(&program("poolshift-agent.exe"));
        words(&[&agent, "service", verb, &self.0])
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        run("sc.exe", &["stop", &self.0]);
        run("sc.exe", &["delete", &self.0]);
    }
}

/// A small shop as a service, installed by the agent.
struct Shop {
    service: Service,
    port: u16,
}

impl Shop {
    fn open(world: &World, name: &str) -> Self {
        let free = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = free.local_addr().expect("an address").port();
        world.write("port", &port.to_string());
        let command = format!("{} serve", world.windows_home("current\\shop.exe"));
        Self {
            service: Service::create(name, &command),
            port,
        }
    }

    fn url(&self) -> String {
        format!("http://127.0.0.1:{}/", self.port)
    }

    /// Its release: its version, and its program.
    fn build(version: &str) -> Vec<u8> {
        let shop = std::fs::read(program("puppet.exe")).expect("the puppet");
        let mut builder = tar::Builder::new(Vec::new());
        for (name, content) in [("VERSION", version.as_bytes()), ("shop.exe", &shop)] {
            let mut header = tar::Header::new_gnu();
            header.set_size(content.len() as u64);
            header.set_mode(0o755);
            builder
                .append_data(&mut header, name, content)
                .expect("a file in an archive");
        }
        crate::support::artifact::gzip(&builder.into_inner().expect("an archive"))
    }

    fn order(&self, world: &World, version: &str) -> Install {
        let bytes = Self::build(version);
        let url = world.serve(version, &bytes);
        let mut order = install(&url, &bytes, Path::new(&world.windows_home("")), version);
        order.artifact.max_bytes = 200 * 1024 * 1024;
        order.stop = self.service.by_agent("stop");
        order.restart = self.service.by_agent("start");
        order.prove = Prove::Http { url: self.url() };
        order
    }
}

fn starts(world: &World) -> Vec<String> {
    world.read("starts").lines().map(str::to_owned).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_is_fetched_installed_tested_proved_and_rolled_back() {
    let mut world = World::start().await;
    let shop = Shop::open(&world, "ps-cycle");
    let home = world.windows_home("");
    for (attempt, version) in (1..).zip(["1.0", "2.0"]) {
        let order = shop.order(&world, version);
        let bytes = Shop::build(version);
        let mut fetching = fetch(&order.artifact.url, &bytes, Path::new(&home));
        fetching.artifact = order.artifact.clone();
        let answer = world.carry_out("fetch", attempt, fetching).await;
        assert!(matches!(answer, Answer::Fetched(_)), "{answer:?}");
        let done = installed(world.carry_out("install", attempt, order).await);
        assert_eq!(
            (done.proof.kind.as_str(), done.proof.value.as_str()),
            ("http", version)
        );
        assert!(shop.service.state().contains("RUNNING"));
        let mut testing = test(&shop.url(), Path::new(&home), "");
        testing.suites[0].argv = puppet(&["results", "results.xml"]);
        testing.expect.version = Some(version.parse().expect("a version"));
        let answer = world.carry_out("test", attempt, testing).await;
        let Answer::TestsPassed(TestsPassed {
            suites,
            answered_by,
            ..
        }) = answer
        else {
            panic!("not passed: {answer:?}");
        };
        assert_eq!((suites[0].passed, answered_by.server.as_str()), (1, "web1"));
    }
    assert_eq!(world.read("releases/1.0/VERSION"), "1.0");
    // The way back needs no network.
    let order = shop.order(&world, "1.0");
    world.gateway.known().artifacts.clear();
    let done = installed(world.carry_out("back-install", 3, order).await);
    assert_eq!(done.previous.expect("2.0 ran").version.as_str(), "2.0");
    assert_eq!(starts(&world), ["1.0", "2.0", "1.0"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_in_use_fails_the_installation_by_its_name_and_the_former_version_goes_on() {
    let mut world = World::start().await;
    let shop = Shop::open(&world, "ps-locked");
    let order = shop.order(&world, "1.0");
    installed(world.carry_out("install", 1, order).await);
    let hold = puppet(&[
        "hold",
        &world.windows_home("current\\VERSION"),
        &world.windows_home("held"),
        &world.windows_home("go"),
    ]);
    let mut holder = wine(&hold[0]).args(&hold[1..]).spawn().expect("wine");
    world
        .see("the file held", |world| !world.read("held").is_empty())
        .await;
    let order = shop.order(&world, "2.0");
    let mut command = world.command("install", 2, order);
    command.timeout_ms = 20_000;
    world.give_out(&command);
    let failed = not_installed(world.answer_to(&command.id).await);
    let failure = failed.failure;
    assert_eq!(failure.reason, FailedBecause::ProgramFailed, "{failure:?}");
    for told in [
        "current\\VERSION is in use by another program",
        "the former version was started again",
    ] {
        assert!(failure.detail.contains(told), "{}", failure.detail);
    }
    assert!(shop.service.state().contains("RUNNING"));
    assert_eq!(starts(&world), ["1.0", "1.0"]);
    assert_eq!(world.read("current/VERSION"), "1.0");
    // Once it is let go, the next attempt is good.
    world.write("go", "");
    assert!(holder.wait().expect("it ran").success());
    let order = shop.order(&world, "2.0");
    installed(world.carry_out("install", 3, order).await);
    assert_eq!(starts(&world), ["1.0", "1.0", "2.0"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_release_is_not_moved_while_its_program_runs() {
    let mut world = World::start().await;
    let shop = Shop::open(&world, "ps-running");
    let order = shop.order(&world, "1.0");
    installed(world.carry_out("install", 1, order).await);
    let mut order = shop.order(&world, "2.0");
    // Nobody stops it.
    order.stop.clear();
    let mut command = world.command("install", 2, order);
    command.timeout_ms = 4_000;
    world.give_out(&command);
    let failed = not_installed(world.answer_to(&command.id).await);
    let detail = failed.failure.detail;
    assert!(detail.contains("current\\shop.exe is in use"), "{detail}");
    assert!(detail.contains("`stop`"), "{detail}");
    assert_eq!(world.read("current/VERSION"), "1.0");
    assert_eq!(starts(&world), ["1.0"], "it was left alone");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_is_stopped_and_started_through_the_manager_and_awaited() {
    let mut world = World::start().await;
    let shop = Shop::open(&world, "ps-manager");
    let order = shop.order(&world, "1.0");
    installed(world.carry_out("install", 1, order).await);
    for (verb, state) in [
        ("stop", "STOPPED"),
        ("stop", "STOPPED"),
        ("start", "RUNNING"),
        ("start", "RUNNING"),
    ] {
        let argv = shop.service.by_agent(verb);
        let arguments: Vec<&str> = argv[1..].iter().map(String::as_str).collect();
        let (is_good, said) = run(&argv[0], &arguments);
        assert!(is_good, "{verb}: {said}");
        let now = shop.service.state();
        assert!(now.contains(state), "{verb}: {now}");
    }
    assert_eq!(starts(&world), ["1.0", "1.0"]);
    let agent = windows(&program("poolshift-agent.exe"));
    let (is_good, said) = run(&agent, &["service", "start", "ps-nobody"]);
    assert!(!is_good);
    assert!(said.contains("open the service `ps-nobody`"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_agent_is_a_service_and_its_program_can_be_renamed_away_while_it_runs() {
    let mut world = World::enrolled().await;
    let exe = world.path("poolshift-agent.exe");
    std::fs::copy(program("poolshift-agent.exe"), &exe).expect("a copy");
    let config = world.config();
    let command = format!("{} service run --config {config}", windows(&exe));
    let agent = Service::create("ps-agent", &command);
    for (attempt, version) in (1..).zip(["1.0", "2.0"]) {
        let (is_good, said) = run("net.exe", &["start", "ps-agent"]);
        assert!(is_good, "{said}");
        let bytes = crate::support::artifact::archive(&[("VERSION", version, 0o644)]);
        let url = world.serve(version, &bytes);
        let mut order = install(&url, &bytes, Path::new(&world.windows_home("")), version);
        order.restart.clear();
        order.prove = Prove::Command {
            argv: words(&["cmd.exe", "/c", "type current\\VERSION"]),
        };
        installed(world.carry_out("install", attempt, order).await);
        // As an update of the agent does it: the old program makes room for the new one.
        let old = format!("old-{attempt}.exe");
        let away = format!("move {} {}", windows(&exe), windows(&world.path(&old)));
        let (is_good, said) = run("cmd.exe", &["/c", &away]);
        assert!(is_good && !exe.exists(), "{said}");
        std::fs::copy(program("poolshift-agent.exe"), &exe).expect("a copy");
        let (is_good, said) = run("net.exe", &["stop", "ps-agent"]);
        assert!(is_good, "{said}");
        assert!(agent.state().contains("STOPPED"));
    }
    let logs = std::fs::read_dir(world.path("data")).expect("a folder");
    let log = logs.flatten().find(|entry| {
        let name = entry.file_name().into_string().unwrap_or_default();
        name.starts_with("agent.") && name.ends_with(".log")
    });
    let log = std::fs::read_to_string(log.expect("a log").path()).expect("text");
    assert!(log.contains("told to stop"), "{log}");
    // On a console it says what it is for.
    let (is_good, said) = run(&windows(&exe), &["service", "run", "--config", &config]);
    assert!(!is_good);
    assert!(said.contains("poolshift-agent run"), "{said}");
}
