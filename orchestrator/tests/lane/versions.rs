//! Logs that another version of us has written, or will have.

use bus::{Commit, Outgoing, Record};
use events::{
    Decision, Envelope, Event, Link, RolloutPlanned, Sealed, ServiceDefined, Subject, link,
    partition_of, sha256,
};
use poolshift_orchestrator::Settings;
use rollout::BRAIN;

use crate::world::{ENTRY, PATIENCE, World, target};

/// The log of a rollout that runs, written anew: each event as `change` makes it, the chain mended.
async fn written_anew(change: impl Fn(&mut Envelope, Event) -> Vec<Event>) -> World {
    let mut world = World::new();
    world.introduce().await;
    world.say(World::request("one", "1.1.0")).await;
    let records = world.until_events("poolshift.command-issued", 1).await;
    world.stop().await;
    let mut other = World::new();
    other.stop().await;
    let partition = partition_of(&Subject::Target(target()));
    let taken = Outgoing {
        key: format!("partition/{partition}"),
        ..Outgoing::default()
    };
    let mut owner = other.bus.own(partition, 0, taken).await.unwrap();
    let commit = Commit {
        events: chained(&records, change),
        ..Commit::default()
    };
    owner.commit(commit).await.unwrap();
    other.start_with(keeping());
    other
}

/// States are kept as soon as there is anything to keep.
fn keeping() -> Settings {
    Settings {
        keep_every: 1,
        ..Settings::default()
    }
}

fn chained(
    records: &[Record],
    change: impl Fn(&mut Envelope, Event) -> Vec<Event>,
) -> Vec<Outgoing> {
    let mut written: Vec<Outgoing> = Vec::new();
    for record in records {
        let mut envelope = Envelope::from_headers(&record.headers).unwrap();
        let event = Event::from_bytes(&envelope.kind, envelope.version, &record.value).unwrap();
        for event in change(&mut envelope, event) {
            envelope.n = Some(written.len() as u64 + 1);
            envelope.kind = event.kind().to_owned();
            envelope.version = event.version();
            envelope.prev = written.last().map(|last| {
                link(Link {
                    headers: &last.headers,
                    value: &last.value,
                })
            });
            written.push(Outgoing {
                key: record.key.clone(),
                headers: envelope.to_headers(),
                value: event.to_bytes(),
            });
        }
    }
    written
}

/// What the target says of itself when it is shown; the same when it was kept meanwhile.
async fn stands_still(world: &mut World) -> Option<String> {
    let still = said(world).await;
    for _ in 0..2 {
        world.start_with(keeping());
        assert_eq!(said(world).await, still, "after it was kept");
    }
    still
}

async fn said(world: &mut World) -> Option<String> {
    let shown = world.view.target_changed(&target(), None, PATIENCE).await;
    let still = shown.unwrap().document.stands_still.clone();
    world.stop().await;
    still
}

/// A plan as `change` would have made it.
fn planned_anew(event: Event, change: impl Fn(&mut events::Plan)) -> Vec<Event> {
    let Event::Decision(Decision::RolloutPlanned(planned)) = &event else {
        return vec![event];
    };
    let mut plan = planned.plan.value().clone();
    change(&mut plan);
    let plan = Sealed::new(plan).unwrap();
    let planned = RolloutPlanned {
        rollout: planned.rollout,
        digest: plan.digest(),
        plan,
    };
    vec![planned.into()]
}

fn newer_entry() -> String {
    ENTRY.replace("floor = 1", "floor = 1\nwind = \"south\"")
}

fn defined(entry: String) -> Event {
    let sha256 = sha256(entry.as_bytes());
    let by = events::Actor {
        kind: events::ActorKind::Person,
        id: "p_somebody".to_owned(),
    };
    ServiceDefined { entry, sha256, by }.into()
}

#[tokio::test]
async fn a_log_as_this_version_wrote_it_goes_on() {
    let mut world = written_anew(|_, event| vec![event]).await;
    assert_eq!(stands_still(&mut world).await, None);
}

#[tokio::test]
async fn what_newer_rules_decided_is_not_guessed_at() {
    let mut world = written_anew(|envelope, event| {
        if event.kind() == "poolshift.command-issued" {
            envelope.brain = Some(BRAIN + 1);
        }
        vec![event]
    })
    .await;
    let still = stands_still(&mut world).await.unwrap();
    assert!(
        still.contains("it was decided by version 2 of the rules, and this Poolshift knows them up to 1: start the newer one again"),
        "{still}"
    );
}

#[tokio::test]
async fn a_plan_of_newer_rules_is_not_carried_out() {
    let mut world =
        written_anew(|_, event| planned_anew(event, |plan| plan.brain = BRAIN + 1)).await;
    let still = stands_still(&mut world).await.unwrap();
    assert!(still.contains("by version 2 of the rules"), "{still}");
}

#[tokio::test]
async fn a_rollout_under_rules_that_are_not_kept_any_more_does_not_go_on() {
    let mut world = written_anew(|_, event| planned_anew(event, |plan| plan.brain = 0)).await;
    let still = stands_still(&mut world).await.unwrap();
    assert!(
        still.starts_with("its rollout of 1.1.0: it was planned under version 0 of the rules"),
        "{still}"
    );
}

#[tokio::test]
async fn a_plan_with_an_entry_that_cannot_be_read_is_not_passed_over() {
    let mut world = written_anew(|_, event| {
        planned_anew(event, |plan| {
            plan.entry = newer_entry();
            plan.entry_sha256 = sha256(plan.entry.as_bytes());
        })
    })
    .await;
    let still = stands_still(&mut world).await.unwrap();
    assert!(
        still.contains("for another version of Poolshift"),
        "{still}"
    );
    assert!(still.contains("`wind`"), "{still}");
}

#[tokio::test]
async fn the_latest_entry_must_be_one_that_can_be_read() {
    let is_first = |event: &Event| matches!(event, Event::Decision(Decision::ServiceDefined(_)));
    let mut world = written_anew(|_, event| {
        if is_first(&event) {
            vec![event, defined(newer_entry())]
        } else {
            vec![event]
        }
    })
    .await;
    let still = stands_still(&mut world).await.unwrap();
    assert!(
        still.contains("for another version of Poolshift"),
        "{still}"
    );
    let mut world = written_anew(|_, event| {
        if is_first(&event) {
            vec![defined(newer_entry()), event]
        } else {
            vec![event]
        }
    })
    .await;
    assert_eq!(stands_still(&mut world).await, None);
}
