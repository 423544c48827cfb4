use bus::{Bus, Position, Stream};
use events::{
    Adopt, Answer, AnsweredBy, Command, CommandIssued, CommandStarted, DefineService, Drained,
    Envelope, Fetched, Healthy, Installed, Output, PromotionSeen, Proof, Report, ReportId,
    RequestRollout, Restored, RolloutId, Subject, Target, Work, Worker, partition_of,
};

use crate::world::{ENTRY, PATIENCE, World, kind_of, kinds, release, target};

const SEEN: &str = "poolshift.promotion-seen";
const FINISHED: &str = "poolshift.rollout-finished";

fn staging() -> Target {
    "staging/shop".parse().unwrap()
}

fn entry() -> String {
    let requires = "requires = { succeeded_in = \"staging\", within = \"14d\" }\nservers";
    let production = ENTRY.replacen("servers", requires, 1);
    format!(
        r#"{production}
[environments.staging]
balancers = [{{ name = "lb9", testers = "http://10.9.0.11:8081" }}]
online = "shop"
maintenance = "shop_maintenance"
servers = [
  {{ name = "web1", machine = "s1", address = "10.9.0.1:8080" }},
  {{ name = "web2", machine = "s2", address = "10.9.0.2:8080" }},
]
"#
    )
}

async fn say(world: &World, target: &Target, report: impl Into<Report>) -> ReportId {
    let id = ReportId::new(uuid::Uuid::now_v7());
    world.say_of(target, id, report.into()).await;
    id
}

async fn introduce(world: &World) {
    for target in [staging(), target()] {
        let entry = entry();
        say(world, &target, DefineService { entry }).await;
        for server in ["web1", "web2"] {
            let server = server.parse().unwrap();
            let release = release("1.0.0");
            say(world, &target, Adopt { server, release }).await;
        }
    }
}

fn request(target: &Target, version: &str) -> RequestRollout {
    RequestRollout {
        rollout: RolloutId::of(target, "test", version),
        ..World::request(version, version)
    }
}

/// Everything that the workers of a target say who do well, until so many of its rollouts are over.
async fn carry_out(world: &World, target: &Target, rollouts: usize) {
    let mut over = 0;
    let subject = Subject::Target(target.clone());
    let partition = partition_of(&subject);
    let from = &Position::Start;
    let mut events = world
        .bus
        .follow(Stream::Events, &[partition], from)
        .unwrap();
    loop {
        let record = events.next(PATIENCE).await.unwrap();
        let record = record.expect("it goes on");
        if record.key != subject.to_string() {
            continue;
        }
        match kind_of(&record).as_str() {
            FINISHED => {
                over += 1;
                if over == rollouts {
                    return;
                }
            }
            "poolshift.command-issued" => {
                let issued: CommandIssued = serde_json::from_slice(&record.value).unwrap();
                for answer in good(&issued.command) {
                    say(world, target, answer).await;
                }
            }
            _ => {}
        }
    }
}

fn good(command: &Command) -> Vec<Answer> {
    let id = || command.id.clone();
    let begun = (command.work.worker() == Worker::Agent)
        .then(|| Answer::CommandStarted(CommandStarted { command: id() }));
    let balancer = command.balancers[0].name.clone();
    let done = match &command.work {
        Work::Fetch(fetch) => Answer::Fetched(Fetched {
            command: id(),
            sha256: fetch.artifact.sha256,
            bytes: 1,
            is_well: None,
            took_ms: 1,
        }),
        Work::Drain(drain) => Answer::Drained(Drained {
            command: id(),
            balancer,
            haproxy_pid: 1,
            haproxy_version: "2.6.12".to_owned(),
            running: 0,
            queued: 0,
            cut: 0,
            pinned_seen: 0,
            state_saved: true,
            waited_ms: 1,
            up_before: drain.floor + 1,
            up_after: drain.floor,
            floor: drain.floor,
            was_up: true,
            by_person: false,
            row: String::new(),
        }),
        Work::Install(install) => Answer::Installed(Installed {
            command: id(),
            version: install.version.clone(),
            sha256_runs: install.artifact.sha256,
            proof: Proof {
                kind: "http".to_owned(),
                value: install.version.to_string(),
            },
            previous: None,
            took_ms: 1,
            resumed: false,
            output: Output::default(),
        }),
        Work::Check(_) => Answer::Healthy(Healthy {
            command: id(),
            probes: Vec::new(),
            answered_by: AnsweredBy::default(),
            balancers: vec![balancer],
        }),
        Work::Restore(_) => Answer::Restored(Restored {
            command: id(),
            balancer,
            up: true,
            check_age_ms: 1,
            state_saved: true,
            row: String::new(),
        }),
        Work::Test(_) | Work::Hold(_) | Work::Watch(_) => panic!("nobody asked for {}", command.id),
    };
    begun.into_iter().chain([done]).collect()
}

/// How many words of a success lie in the reports of a target.
async fn words(bus: &Bus, target: &Target) -> usize {
    let partition = partition_of(&Subject::Target(target.clone()));
    let end = bus.end(Stream::Reports, partition).await.unwrap();
    let mut reports = bus
        .follow(Stream::Reports, &[partition], &Position::Start)
        .unwrap();
    let mut found = Vec::new();
    while reports.position(partition) < end {
        found.extend(reports.next_batch(100, PATIENCE).await.unwrap());
    }
    found.retain(|record| record.key == target.to_string());
    kinds(&found, "poolshift.ask.promotion")
}

#[tokio::test]
async fn a_success_in_staging_opens_the_gate_of_production_for_the_same_digest_only() {
    let mut world = World::new();
    introduce(&world).await;
    say(&world, &target(), request(&target(), "1.1.0")).await;
    world.until_events("poolshift.rollout-planned", 1).await;

    say(&world, &staging(), request(&staging(), "1.2.0")).await;
    carry_out(&world, &staging(), 1).await;
    let events = world.until_events(SEEN, 1).await;
    assert_eq!(kinds(&events, "poolshift.gates-passed"), 0);

    say(&world, &staging(), request(&staging(), "1.1.0")).await;
    let passed = world.until_events("poolshift.gates-passed", 1);
    let staging = staging();
    let (_, events) = tokio::join!(carry_out(&world, &staging, 2), passed);
    assert_eq!(kinds(&events, SEEN), 2);
    let seen = events.iter().rev().find(|record| kind_of(record) == SEEN);
    let seen = seen.unwrap();
    let body: PromotionSeen = serde_json::from_slice(&seen.value).unwrap();
    assert_eq!((body.from, body.release), (staging, release("1.1.0")));
    let envelope = Envelope::from_headers(&seen.headers).unwrap();
    let told = ReportId::told("staging/shop", body.n, "production/shop");
    assert_eq!(envelope.cause, Some(events::Cause::Report(told)));
    world.stop().await;
}

#[tokio::test]
async fn a_success_is_told_once_and_also_when_nobody_listens_at_that_moment() {
    let mut world = World::new();
    introduce(&world).await;
    say(&world, &staging(), request(&staging(), "1.1.0")).await;
    carry_out(&world, &staging(), 1).await;
    world.until_events(SEEN, 1).await;
    world.stop().await;
    // What was folded from the log is not told again.
    world.start();
    say(&world, &target(), request(&target(), "1.1.0")).await;
    let events = world.until_events("poolshift.gates-passed", 1).await;
    assert_eq!(kinds(&events, SEEN), 1);
    assert_eq!(words(&world.bus, &target()).await, 1);
    assert_eq!(words(&world.bus, &staging()).await, 0);
    world.stop().await;
}
