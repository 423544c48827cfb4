use bus::{Position, Stream};
use events::{Answer, CommandId, Envelope, Fetched, Steer, Subject, Wish, Work, partition_of};
use view::RolloutStatus;

use crate::world::{PATIENCE, World, kinds, release, rollout_id, target};

async fn fetching(world: &World) -> Vec<CommandId> {
    let records = world
        .until_commands(|records| {
            let fetches = records.iter().filter_map(|record| record.command());
            fetches
                .filter(|command| matches!(command.work, Work::Fetch(_)))
                .count()
                == 2
        })
        .await;
    records
        .iter()
        .filter_map(|record| record.command())
        .map(|command| command.id.clone())
        .collect()
}

fn fetched(command: &CommandId) -> Answer {
    Answer::Fetched(Fetched {
        command: command.clone(),
        sha256: release("1.1.0").sha256,
        bytes: 1,
        is_well: None,
        took_ms: 1,
    })
}

#[tokio::test]
async fn the_intent_is_in_the_log_with_the_command_it_is_about() {
    let mut world = World::new();
    world.introduce().await;
    world.say(World::request("one", "1.1.0")).await;
    let commands = fetching(&world).await;
    let events = world.until_events("poolshift.command-issued", 2).await;
    for (record, command) in events.iter().rev().take(2).rev().zip(&commands) {
        let envelope = Envelope::from_headers(&record.headers).unwrap();
        assert_eq!(envelope.command.as_ref(), Some(command));
    }
    world.stop().await;
}

#[tokio::test]
async fn what_was_decided_survives_a_restart_and_goes_on() {
    let mut world = World::new();
    world.introduce().await;
    world.say(World::request("one", "1.1.0")).await;
    let commands = fetching(&world).await;
    world.stop().await;
    for command in &commands {
        world.answer(fetched(command)).await;
    }
    world.start();
    let events = world.until_events("poolshift.batch-started", 1).await;
    assert_eq!(kinds(&events, "poolshift.fetched"), 2);
    assert_eq!(kinds(&events, "poolshift.rollout-planned"), 1);
    let shown = world.view.rollout(rollout_id("one"));
    assert!(shown.is_some(), "a restart shows the rollout again");
    world.stop().await;
}

#[tokio::test]
async fn the_same_report_twice_leads_to_the_events_of_one() {
    let mut world = World::new();
    world.introduce().await;
    let request = World::request("one", "1.1.0");
    let id = world.say(request.clone()).await;
    world.say_as(id, request.into()).await;
    for command in fetching(&world).await {
        world.answer(fetched(&command)).await;
        world.answer(fetched(&command)).await;
    }
    let events = world.until_events("poolshift.batch-started", 1).await;
    assert_eq!(kinds(&events, "poolshift.rollout-requested"), 1);
    assert_eq!(kinds(&events, "poolshift.fetched"), 2);
    world.stop().await;
}

#[tokio::test]
async fn rubbish_is_set_aside_with_the_reason_and_the_stream_goes_on() {
    let mut world = World::new();
    world
        .append(
            vec![("ce_type".to_owned(), "nonsense".to_owned())],
            b"\xff".to_vec(),
        )
        .await;
    world.introduce().await;
    world.until_events("poolshift.adopted", 2).await;
    let partition = partition_of(&Subject::Target(target()));
    let mut rejected = world
        .bus
        .follow(Stream::Rejected, &[partition], &Position::Start)
        .unwrap();
    let record = rejected.next(PATIENCE).await.unwrap().unwrap();
    assert_eq!(record.value, b"\xff");
    let why = record
        .headers
        .iter()
        .find(|(name, _)| name == "poolshift-refused")
        .unwrap();
    assert!(why.1.contains("missing"), "{}", why.1);
    world.stop().await;
}

#[tokio::test]
async fn what_a_person_asks_in_vain_is_set_aside_with_the_reason() {
    let mut world = World::new();
    world.introduce().await;
    let reason = "enough".to_owned();
    world
        .say(Steer {
            rollout: rollout_id("none"),
            wish: Wish::Abort,
            reason,
        })
        .await;
    let partition = partition_of(&Subject::Target(target()));
    let mut rejected = world
        .bus
        .follow(Stream::Rejected, &[partition], &Position::Start)
        .unwrap();
    let record = rejected.next(PATIENCE).await.unwrap().unwrap();
    let why = record
        .headers
        .iter()
        .find(|(name, _)| name == "poolshift-refused")
        .unwrap();
    assert!(why.1.contains("does not run"), "{}", why.1);
    world.stop().await;
}

#[tokio::test]
async fn an_abort_is_shown_to_whoever_waits_for_the_rollout() {
    let mut world = World::new();
    world.introduce().await;
    world.say(World::request("one", "1.1.0")).await;
    fetching(&world).await;
    let reason = "enough".to_owned();
    world
        .say(Steer {
            rollout: rollout_id("one"),
            wish: Wish::Abort,
            reason,
        })
        .await;
    world.until_events("poolshift.rollout-finished", 1).await;
    let mut known = None;
    let shown = loop {
        let shown = world
            .view
            .rollout_changed(
                rollout_id("one"),
                known.as_ref().map(view::Etag::as_str),
                PATIENCE,
            )
            .await
            .expect("the rollout is known");
        if shown.document.status == RolloutStatus::Finished {
            break shown;
        }
        known = Some(shown.etag.clone());
    };
    assert_eq!(shown.document.outcome, Some(events::Outcome::Aborted));
    world.stop().await;
}
