//! The events of a target, as they stand in the log.

use bus::{Commit, Outgoing, Owner, Stream};
use events::{
    Actor, ActorKind, Cause, Envelope, Event, OwnerChanged, Source, Subject, partition_of,
};
use serde_json::{Value, json};

use crate::house::{House, now, target};

async fn owner(house: &House) -> Owner {
    let partition = partition_of(&Subject::Target(target()));
    let owned = house.bus.own(partition, 0, Outgoing::default()).await;
    owned.unwrap()
}

/// Event `n` of a subject.
fn event(subject: &Subject, n: u64) -> Outgoing {
    let event: Event = OwnerChanged { epoch: n }.into();
    let envelope = Envelope {
        id: Envelope::event_id(subject, n),
        kind: event.kind().to_owned(),
        version: event.version(),
        n: Some(n),
        at: Some(now()),
        actor: Actor {
            kind: ActorKind::Process,
            id: "orchestrator/1".to_owned(),
        },
        source: Source {
            process: "orchestrator".to_owned(),
            instance: "1".to_owned(),
            version: "0.1.0".to_owned(),
        },
        subject: subject.clone(),
        reported_at: now(),
        cause: Some(Cause::Clock),
        epoch: Some(1),
        brain: Some(1),
        rollout: None,
        command: None,
        prev: None,
        traceparent: None,
    };
    Outgoing {
        key: subject.to_string(),
        headers: envelope.to_headers(),
        value: event.to_bytes(),
    }
}

async fn write(owner: &mut Owner, events: Vec<Outgoing>) {
    let commit = Commit {
        events,
        ..Commit::default()
    };
    owner.commit(commit).await.unwrap();
}

async fn page(house: &House, after: u64, limit: u64) -> Value {
    let target = "/api/v1/targets/production/checkout";
    let path = format!("{target}/history?after={after}&limit={limit}");
    house.get(&path).await.json().await.unwrap()
}

fn numbers(page: &Value) -> Vec<u64> {
    let events = page["events"].as_array().unwrap().iter();
    events.map(|event| event["n"].as_u64().unwrap()).collect()
}

/// How many events were read from the log so far.
async fn reads(house: &House) -> u64 {
    let metrics = house.get("/metrics").await.text().await.unwrap();
    let mut lines = metrics.lines();
    let line = lines.find_map(|line| line.strip_prefix("poolshift_gateway_history_reads_total "));
    line.unwrap().parse().unwrap()
}

#[tokio::test]
async fn history_shows_the_events_of_the_target_as_they_stand_in_the_log() {
    let house = House::open().await;
    let subject = Subject::Target(target());
    let mut owner = owner(&house).await;
    let events = (1..=5).map(|n| event(&subject, n)).collect();
    write(&mut owner, events).await;
    let page = page(&house, 2, 2).await;
    assert_eq!(page["more"], true);
    assert_eq!(numbers(&page), [3, 4]);
    assert_eq!(page["events"][0]["type"], "poolshift.owner-changed");
    assert_eq!(page["events"][0]["body"], json!({"epoch": 3}));
    let reports = house.bus.end(Stream::Reports, owner.partition()).await;
    assert_eq!(reports.unwrap(), None);
}

#[tokio::test]
async fn a_page_of_a_long_history_reads_that_page_and_what_has_come_since() {
    let house = House::open().await;
    let subject = Subject::Target(target());
    let other = Subject::Target("production/neighbour".parse().unwrap());
    let mut owner = owner(&house).await;
    // The neighbour's events lie between: in one partition, whatever its name says.
    let mixed = (1..=2_000).flat_map(|n| [event(&subject, n), event(&other, n)]);
    write(&mut owner, mixed.collect()).await;
    assert_eq!(numbers(&page(&house, 0, 10).await), Vec::from_iter(1..=10));

    let before = reads(&house).await;
    assert_eq!(
        numbers(&page(&house, 1_500, 10).await),
        Vec::from_iter(1_501..=1_510)
    );
    assert_eq!(reads(&house).await - before, 10);

    let before = reads(&house).await;
    write(&mut owner, vec![event(&subject, 2_001)]).await;
    let last = page(&house, 1_999, 10).await;
    assert_eq!(numbers(&last), [2_000, 2_001]);
    assert_eq!(last["more"], false);
    assert_eq!(reads(&house).await - before, 3);
}
