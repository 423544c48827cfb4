//! States that are kept, so that a start does not fold everything.

use bus::{Commit, Outgoing, Owner, Position, Stream};
use events::{
    DefineService, Envelope, Link, Report, ReportId, Subject, Target, Timestamp, partition_of,
};
use poolshift_orchestrator::Settings;
use serde_json::Value;
use view::{RolloutView, TargetView};

use crate::world::{ENTRY, PATIENCE, World, rollout_id, target};

const MARK: &str = "@fold";

fn keeping() -> Settings {
    Settings {
        keep_every: 1,
        ..Settings::default()
    }
}

fn partition() -> u32 {
    partition_of(&Subject::Target(target()))
}

/// A world in which a rollout is under way and the states are kept; nobody decides.
async fn kept() -> World {
    let mut world = World::new();
    world.stop().await;
    world.start_with(keeping());
    world.introduce().await;
    world.say(World::request("one", "1.1.0")).await;
    let issued = world.until_events("poolshift.command-issued", 2).await;
    let last = issued.last().unwrap().offset;
    until_mark(&world, |mark| mark["through"].as_u64() >= Some(last)).await;
    world.stop().await;
    world
}

/// Awaits a mark of which `wanted` is true.
async fn until_mark(world: &World, wanted: impl Fn(&Value) -> bool) -> Value {
    let from = Position::Start;
    let mut all = world
        .bus
        .follow(Stream::Snapshots, &[partition()], &from)
        .unwrap();
    loop {
        let record = all.next(PATIENCE).await.unwrap();
        let record = record.expect("no such mark came in time");
        if record.key == MARK {
            let mark = serde_json::from_slice(&record.value).unwrap();
            if wanted(&mark) {
                return mark;
            }
        }
    }
}

async fn own(world: &World) -> Owner {
    let taken = Outgoing {
        key: "partition/x".to_owned(),
        ..Outgoing::default()
    };
    world.bus.own(partition(), 0, taken).await.unwrap()
}

/// Changes the mark, as an owner could.
async fn change_mark(world: &World, change: impl Fn(&mut Value)) {
    let mut mark = until_mark(world, |_| true).await;
    change(&mut mark);
    let snapshots = vec![Outgoing {
        key: MARK.to_owned(),
        headers: Vec::new(),
        value: serde_json::to_vec(&mark).unwrap(),
    }];
    let commit = Commit {
        snapshots,
        ..Commit::default()
    };
    own(world).await.commit(commit).await.unwrap();
}

/// What an orchestrator knows that starts now, but for the times that its own start changes.
async fn known_at_a_start(world: &mut World) -> (TargetView, RolloutView) {
    world.start();
    let view = world.view.clone();
    let kept = view
        .target_changed(&target(), None, PATIENCE)
        .await
        .unwrap();
    let mut of_target = TargetView::clone(&kept.document);
    let id = rollout_id("one");
    let kept = view.rollout_changed(id, None, PATIENCE).await.unwrap();
    let mut of_rollout = RolloutView::clone(&kept.document);
    world.stop().await;
    of_target.as_of.n = 0;
    of_target.as_of.at = Timestamp::ZERO;
    for server in &mut of_target.servers {
        if let Some(outstanding) = &mut server.outstanding {
            outstanding.deadline_at = Timestamp::ZERO;
        }
    }
    for wait in of_target.waiting.iter_mut().chain(&mut of_rollout.waiting) {
        wait.until = None;
        wait.what.clear();
    }
    (of_target, of_rollout)
}

#[tokio::test]
async fn a_start_from_kept_states_knows_what_a_fold_of_everything_knows() {
    let mut world = kept().await;
    let from_kept = known_at_a_start(&mut world).await;
    assert!(
        from_kept
            .0
            .servers
            .iter()
            .any(|server| server.outstanding.is_some())
    );
    change_mark(&world, |mark| mark["fold"] = Value::from("0.0.0/0")).await;
    assert_eq!(from_kept, known_at_a_start(&mut world).await);
}

#[tokio::test]
async fn what_lies_before_the_kept_states_is_not_read_again() {
    let mut world = kept().await;
    change_mark(&world, |mark| mark["after"] = Value::from(1_000_000)).await;
    world.start();
    let error = world.end().await.unwrap_err();
    let said = format!("{error:#}");
    assert!(said.contains("cannot follow the events"), "{said}");
}

#[tokio::test]
async fn kept_states_that_do_not_fit_are_thrown_away() {
    let mut world = kept().await;
    let wanted = known_at_a_start(&mut world).await;
    let changes: [fn(&mut Value); 4] = [
        |mark| mark["sha256"] = Value::from(events::sha256(b"another log").to_string()),
        |mark| mark["through"] = Value::from(1_000_000),
        |mark| mark["subjects"][target().to_string()] = Value::from(1),
        |mark| mark["subjects"]["production/lost"] = Value::from(7),
    ];
    for change in changes {
        change_mark(&world, change).await;
        assert_eq!(known_at_a_start(&mut world).await, wanted);
    }
}

#[tokio::test]
async fn a_target_that_stands_still_is_kept_as_it_stood() {
    let mut world = kept().await;
    append_of_the_future(&world).await;
    for service in ["a", "b"] {
        world.start_with(keeping());
        let before = until_mark(&world, |_| true).await["through"].as_u64();
        define_beside(&world, service).await;
        until_mark(&world, |mark| mark["through"].as_u64() > before).await;
        let shown = world.view.target(&target()).unwrap().document;
        assert!(
            shown
                .stands_still
                .as_deref()
                .unwrap()
                .contains("newer Poolshift")
        );
        assert_eq!(shown.servers.len(), 2, "as it was before");
        world.stop().await;
    }
    let (shown, _) = known_at_a_start(&mut world).await;
    assert!(
        shown
            .stands_still
            .as_deref()
            .unwrap()
            .contains("newer Poolshift")
    );
}

/// An event after the target's last one, of a kind that this version does not know.
async fn append_of_the_future(world: &World) {
    let mut owner = own(world).await;
    let events = world.until_events("poolshift.command-issued", 2).await;
    let last = events.last().unwrap();
    let mut envelope = Envelope::from_headers(&last.headers).unwrap();
    envelope.n = envelope.n.map(|n| n + 1);
    envelope.kind = "poolshift.of-the-future".to_owned();
    envelope.prev = Some(events::link(Link {
        headers: &last.headers,
        value: &last.value,
    }));
    let event = Outgoing {
        key: target().to_string(),
        headers: envelope.to_headers(),
        value: b"{}".to_vec(),
    };
    let commit = Commit {
        events: vec![event],
        ..Commit::default()
    };
    owner.commit(commit).await.unwrap();
}

/// Defines another service whose target lies in the same partition.
async fn define_beside(world: &World, prefix: &str) {
    let beside = (0..1_000).find_map(|number| {
        let target: Target = format!("production/{prefix}{number}").parse().unwrap();
        (partition_of(&Subject::Target(target.clone())) == partition()).then_some(target)
    });
    let beside = beside.unwrap();
    let name = format!("name = \"{}\"", beside.service());
    let entry = ENTRY.replace("name = \"shop\"", &name);
    let report = Report::from(DefineService { entry });
    let id = ReportId::new(uuid::Uuid::now_v7());
    world.say_of(&beside, id, report).await;
}
