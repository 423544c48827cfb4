use bus::{Commit, Outgoing, Stream};
use events::{
    Answer, CommandRefused, Envelope, Fence, Link, RefusedBecause, Subject, partition_of,
    verify_link,
};

use crate::world::{World, kind_of, target};

#[tokio::test]
async fn a_new_owner_publishes_every_record_anew_under_its_own_epoch() {
    let mut world = World::new();
    world.introduce().await;
    let first = world.until_commands(|records| records.len() == 2).await;
    world.stop().await;
    world.start();
    let second = world
        .until_commands(|records| {
            records
                .iter()
                .all(|record| record.fence().epoch > first[0].fence().epoch)
        })
        .await;
    assert_eq!(second.len(), 2);
    world.stop().await;
}

#[tokio::test]
async fn the_chain_holds_over_every_take_over() {
    let mut world = World::new();
    world.introduce().await;
    world.until_events("poolshift.adopted", 2).await;
    world.stop().await;
    world.start();
    let events = world.until_events("poolshift.owner-changed", 1).await;
    let mut head = None;
    for record in &events {
        let stored = Link {
            headers: &record.headers,
            value: &record.value,
        };
        head = Some(verify_link(head, stored).unwrap());
    }
    assert_eq!(head.unwrap().0, u64::try_from(events.len()).unwrap());
    world.stop().await;
}

#[tokio::test]
async fn an_owner_that_was_fenced_ends_and_writes_nothing_more() {
    let mut world = World::new();
    world.introduce().await;
    let before = world.until_events("poolshift.adopted", 2).await;
    let partition = partition_of(&Subject::Target(target()));
    let taken = Outgoing {
        key: "partition/x".to_owned(),
        ..Outgoing::default()
    };
    let mut other = world.bus.own(partition, 0, taken).await.unwrap();
    world.say(World::request("one", "1.1.0")).await;
    let error = world.end().await.unwrap_err();
    assert!(
        format!("{error:#}").contains("not ours any more"),
        "{error:#}"
    );
    let mine = Outgoing {
        key: target().to_string(),
        ..Outgoing::default()
    };
    let commit = Commit {
        snapshots: vec![mine],
        ..Commit::default()
    };
    other.commit(commit).await.unwrap();
    assert_eq!(
        world.until_events("poolshift.adopted", 2).await.len(),
        before.len()
    );
}

#[tokio::test]
async fn a_worker_that_obeyed_a_higher_epoch_makes_the_owner_take_over_above_it() {
    let mut world = World::new();
    world.introduce().await;
    world.say(World::request("one", "1.1.0")).await;
    let records = world
        .until_commands(|records| records.iter().any(|record| record.command().is_some()))
        .await;
    let command = records.iter().find_map(|record| record.command()).unwrap();
    world
        .answer(Answer::CommandRefused(CommandRefused {
            command: command.id.clone(),
            reason: RefusedBecause::Stale,
            highest: Fence {
                epoch: 900_000,
                seq: 77,
            },
        }))
        .await;
    let above = Fence {
        epoch: 900_001,
        seq: 0,
    };
    let anew = world
        .until_commands(|records| {
            records.iter().all(|record| record.fence() > above)
                && records.iter().all(|record| record.command().is_some())
        })
        .await;
    let again = anew
        .iter()
        .find(|record| record.server() == &command.server)
        .unwrap();
    assert!(again.fence().seq > 77, "{again:?}");
    world.stop().await;
    // Whoever comes after it finds a log whose epochs are far above its offsets.
    world.start();
    let before = again.fence();
    world
        .until_commands(|records| records.iter().all(|record| record.fence() > before))
        .await;
    world.stop().await;
}

#[tokio::test]
async fn a_target_that_is_new_commands_under_its_owners_epoch_from_the_start() {
    let mut world = World::new();
    world.introduce().await;
    let records = world.until_commands(|records| records.len() == 2).await;
    assert!(
        records.iter().all(|record| record.fence().epoch > 0),
        "{records:?}"
    );
    world.stop().await;
}

#[tokio::test]
async fn a_target_with_an_event_of_a_newer_version_stands_still_and_says_so() {
    let mut world = World::new();
    world.introduce().await;
    let events = world.until_events("poolshift.adopted", 2).await;
    world.stop().await;
    let partition = partition_of(&Subject::Target(target()));
    let taken = Outgoing {
        key: "partition/x".to_owned(),
        ..Outgoing::default()
    };
    let mut newer = world.bus.own(partition, 0, taken).await.unwrap();
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
    newer
        .commit(Commit {
            events: vec![event],
            ..Commit::default()
        })
        .await
        .unwrap();
    world.start();
    let id = world.say(World::request("one", "1.1.0")).await;
    let mut rejected = world
        .bus
        .follow(Stream::Rejected, &[partition], &bus::Position::Start)
        .unwrap();
    let record = rejected
        .next(crate::world::PATIENCE)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        Envelope::from_headers(&record.headers).unwrap().id,
        id.as_uuid()
    );
    let why = record
        .headers
        .iter()
        .find(|(name, _)| name == "poolshift-refused")
        .unwrap();
    assert!(why.1.contains("newer Poolshift"), "{}", why.1);
    let shown = world.view.target(&target()).unwrap().document;
    let still = shown.stands_still.as_deref().unwrap();
    assert!(still.contains("newer Poolshift"), "{still}");
    assert_eq!(shown.servers.len(), 2, "as it was before");
    let waits = &shown.waiting[..];
    assert!(waits.len() == 1 && waits[0].person, "{waits:?}");
    assert_eq!(kind_of(last), "poolshift.adopted");
    world.stop().await;
}
