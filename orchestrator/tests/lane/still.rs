//! Machines that nothing is decided for.

use bus::{Commit, Outgoing};
use events::{Actor, ActorKind, Cause, Envelope, Source, Subject, Timestamp, partition_of};

use crate::world::{PATIENCE, World};

/// The first event of a machine, written by a newer version.
fn of_the_future(subject: &Subject) -> Envelope {
    Envelope {
        id: uuid::Uuid::now_v7(),
        kind: "poolshift.of-the-future".to_owned(),
        version: 1,
        subject: subject.clone(),
        n: Some(1),
        at: Some(Timestamp::from_ms(1)),
        reported_at: Timestamp::from_ms(1),
        source: Source {
            process: "test".to_owned(),
            instance: "1".to_owned(),
            version: "9".to_owned(),
        },
        actor: Actor {
            kind: ActorKind::Process,
            id: "test".to_owned(),
        },
        cause: Some(Cause::Clock),
        epoch: Some(1),
        brain: Some(9),
        rollout: None,
        command: None,
        prev: None,
        traceparent: None,
    }
}

#[tokio::test]
async fn a_machine_whose_events_cannot_be_read_stands_still_and_is_not_called_revoked() {
    let mut world = World::new();
    world.stop().await;
    let subject = Subject::Machine("srv-101".parse().unwrap());
    let taken = Outgoing {
        key: "partition/x".to_owned(),
        ..Outgoing::default()
    };
    let mut newer = world
        .bus
        .own(partition_of(&subject), 0, taken)
        .await
        .unwrap();
    let event = Outgoing {
        key: subject.to_string(),
        headers: of_the_future(&subject).to_headers(),
        value: b"{}".to_vec(),
    };
    let commit = Commit {
        events: vec![event],
        ..Commit::default()
    };
    newer.commit(commit).await.unwrap();
    world.start();
    let machine = "srv-101".parse().unwrap();
    let shown = world.view.machine_changed(&machine, None, PATIENCE).await;
    let shown = shown.unwrap().document;
    assert!(!shown.revoked && !shown.counts(), "{shown:?}");
    let why = shown.stands_still.as_deref().unwrap();
    assert!(why.contains("newer Poolshift"), "{why}");
    world.stop().await;
}
