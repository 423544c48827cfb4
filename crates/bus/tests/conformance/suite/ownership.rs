use std::future;

use poolshift_bus::{Bus, Commit, Error, MAX_RECORD_BYTES, Owner, Stream};

use crate::suite::place::{Place, read, record, records, text, texts};

async fn take(bus: &Bus, partition: u32, name: &str) -> Owner {
    bus.own(partition, 0, record("partition", name))
        .await
        .unwrap()
}

fn events(values: &[&str]) -> Commit {
    Commit {
        events: records(values),
        ..Commit::default()
    }
}

pub(crate) async fn taking_a_partition_appends_the_record_and_its_offset_makes_the_epoch(
    place: &impl Place,
) {
    let bus = place.open().await;
    let first = take(&bus, 0, "first").await;
    let second = bus
        .own(0, 1_000, record("partition", "second"))
        .await
        .unwrap();

    let taken = read(&bus, Stream::Events, 0).await;
    assert_eq!(texts(&taken), ["first", "second"]);
    assert_eq!((first.partition(), first.taken_at()), (0, taken[0].offset));
    assert_eq!(first.epoch(), taken[0].offset);
    assert_eq!(second.taken_at(), taken[1].offset);
    assert_eq!(second.epoch(), 1_000 + taken[1].offset);
}

pub(crate) async fn a_fenced_owner_writes_nothing(place: &impl Place) {
    let bus = place.open().await;
    let mut former = take(&bus, 0, "former").await;
    former.commit(events(&["one"])).await.unwrap();
    let mut owner = take(&bus, 0, "owner").await;

    for _ in 0..2 {
        let refused = former
            .commit(Commit {
                events: records(&["lost"]),
                commands: records(&["lost"]),
                snapshots: records(&["lost"]),
                rejected: records(&["lost"]),
                reports: vec![(0, record("key", "lost"))],
                consumed: Some(7),
            })
            .await;
        assert!(
            matches!(refused, Err(Error::Fenced { partition: 0, .. })),
            "{refused:?}"
        );
    }
    owner.commit(events(&["two"])).await.unwrap();
    assert_eq!(
        texts(&read(&bus, Stream::Events, 0).await),
        ["former", "one", "owner", "two"]
    );
    for stream in [Stream::Commands, Stream::Snapshots, Stream::Rejected] {
        assert_eq!(read(&bus, stream, 0).await, []);
    }
    assert_eq!(bus.consumed(0).await.unwrap(), None);
}

pub(crate) async fn of_many_that_take_a_partition_at_once_one_can_write(place: &impl Place) {
    let bus = place.open().await;
    let mut taking = tokio::task::JoinSet::new();
    for n in 0..8 {
        let bus = bus.clone();
        taking.spawn(async move { take(&bus, 0, &n.to_string()).await });
    }
    let mut owners = taking.join_all().await;
    owners.sort_by_key(Owner::epoch);
    assert!(owners.is_sorted_by(|a, b| a.epoch() < b.epoch()));
    let last = owners.len() - 1;
    for (n, owner) in owners.iter_mut().enumerate() {
        let committed = owner.commit(events(&["event"])).await;
        assert_eq!(
            committed.is_ok(),
            n == last,
            "owner {n} of {last}: {committed:?}"
        );
    }
}

pub(crate) async fn nothing_of_a_former_owner_follows_the_taking(place: &impl Place) {
    let bus = place.open().await;
    let mut former = take(&bus, 0, "former").await;
    let (started, has_started) = tokio::sync::oneshot::channel();
    let writes = tokio::spawn(async move {
        let mut acknowledged = 0;
        let mut started = Some(started);
        loop {
            match former.commit(events(&["by the former"])).await {
                Ok(_) => acknowledged += 1,
                Err(Error::Fenced { .. }) => return acknowledged,
                Err(error) => panic!("{error}"),
            }
            started.take().map(|started| started.send(()));
        }
    });
    has_started.await.unwrap();
    let owner = take(&bus, 0, "owner").await;
    let acknowledged = writes.await.unwrap();

    let stands = read(&bus, Stream::Events, 0).await;
    let by_former = |record: &&poolshift_bus::Record| text(record) == "by the former";
    assert_eq!(stands.iter().filter(by_former).count(), acknowledged);
    let after = stands
        .iter()
        .filter(|record| record.offset > owner.taken_at());
    assert_eq!(after.count(), 0);
}

pub(crate) async fn an_epoch_rises_or_the_partition_is_not_taken(place: &impl Place) {
    let bus = place.open().await;
    let mut owner = bus
        .own(0, 1_000, record("partition", "owner"))
        .await
        .unwrap();
    for base in [0, 900, u64::MAX] {
        let refused = bus.own(0, base, record("partition", "refused")).await;
        assert!(
            matches!(refused.err(), Some(Error::EpochTooLow { former, .. }) if former == owner.epoch())
        );
    }
    owner.commit(events(&["still mine"])).await.unwrap();
    assert_eq!(
        texts(&read(&bus, Stream::Events, 0).await),
        ["owner", "still mine"]
    );
}

pub(crate) async fn owners_of_other_partitions_go_on(place: &impl Place) {
    let bus = place.open().await;
    let mut other = take(&bus, 1, "other").await;
    let owner = take(&bus, 0, "owner").await;
    other.commit(events(&["event"])).await.unwrap();
    assert_ne!(owner.epoch(), 0);
    assert_eq!(
        texts(&read(&bus, Stream::Events, 1).await),
        ["other", "event"]
    );
}

pub(crate) async fn a_commit_writes_all_its_records_and_the_consumed_position(place: &impl Place) {
    let bus = place.open().await;
    let report = bus
        .append(Stream::Reports, 5, records(&["report"]))
        .await
        .unwrap()[0];
    let mut owner = take(&bus, 5, "owner").await;
    assert_eq!(owner.consumed(), None);
    let committed = owner
        .commit(Commit {
            events: records(&["e1", "e2"]),
            commands: vec![record("web1", "c1"), record("web2", "c2")],
            snapshots: records(&["s1"]),
            rejected: records(&["r1"]),
            reports: Vec::new(),
            consumed: Some(report),
        })
        .await
        .unwrap();

    let stands = read(&bus, Stream::Events, 5).await;
    assert_eq!(texts(&stands), ["owner", "e1", "e2"]);
    assert_eq!(
        committed.event_offsets,
        [stands[1].offset, stands[2].offset]
    );
    assert_eq!(texts(&read(&bus, Stream::Commands, 5).await), ["c1", "c2"]);
    assert_eq!(texts(&read(&bus, Stream::Snapshots, 5).await), ["s1"]);
    assert_eq!(texts(&read(&bus, Stream::Rejected, 5).await), ["r1"]);
    assert_eq!(owner.consumed(), Some(report));
    assert_eq!(bus.consumed(5).await.unwrap(), Some(report));
    bus.close().await.unwrap();

    let bus = place.open().await;
    assert_eq!(take(&bus, 5, "next").await.consumed(), Some(report));
    assert_eq!(bus.consumed(4).await.unwrap(), None);
}

pub(crate) async fn a_refused_commit_writes_nothing_at_all(place: &impl Place) {
    let bus = place.open().await;
    let mut owner = take(&bus, 0, "owner").await;
    let too_large = record("key", &"x".repeat(MAX_RECORD_BYTES));
    let commit = |rejected, consumed| Commit {
        events: records(&["event"]),
        commands: records(&["command"]),
        snapshots: records(&["snapshot"]),
        rejected,
        reports: vec![(3, record("key", "told"))],
        consumed,
    };
    let refused = owner.commit(commit(vec![too_large], Some(1))).await;
    assert!(
        matches!(refused, Err(Error::TooLarge { .. })),
        "{refused:?}"
    );
    assert_eq!(bus.consumed(0).await.unwrap(), None);

    owner
        .commit(Commit {
            consumed: Some(5),
            ..Commit::default()
        })
        .await
        .unwrap();
    let refused = owner.commit(commit(Vec::new(), Some(5))).await;
    assert!(
        matches!(refused, Err(Error::AlreadyConsumed { .. })),
        "{refused:?}"
    );
    assert_eq!(texts(&read(&bus, Stream::Events, 0).await), ["owner"]);
    assert_eq!(read(&bus, Stream::Commands, 0).await, []);
    assert_eq!(read(&bus, Stream::Snapshots, 0).await, []);
    assert_eq!(read(&bus, Stream::Reports, 3).await, []);
    assert_eq!(owner.consumed(), Some(5));

    owner.commit(commit(Vec::new(), None)).await.unwrap();
    assert_eq!(
        texts(&read(&bus, Stream::Events, 0).await),
        ["owner", "event"]
    );
}

pub(crate) async fn a_commit_tells_other_partitions_in_the_same_transaction(place: &impl Place) {
    let bus = place.open().await;
    let mut owner = take(&bus, 0, "owner").await;
    let told = |partition| Commit {
        reports: vec![(partition, record("key", "told"))],
        ..events(&["event"])
    };
    owner.commit(told(3)).await.unwrap();
    assert_eq!(texts(&read(&bus, Stream::Reports, 3).await), ["told"]);
    assert_eq!(read(&bus, Stream::Reports, 0).await, []);

    let refused = owner.commit(told(6)).await;
    assert!(
        matches!(refused, Err(Error::UnknownPartition { partition: 6 })),
        "{refused:?}"
    );
    take(&bus, 0, "next").await;
    let refused = owner.commit(told(3)).await;
    assert!(matches!(refused, Err(Error::Fenced { .. })), "{refused:?}");
    assert_eq!(texts(&read(&bus, Stream::Reports, 3).await), ["told"]);
}

pub(crate) async fn a_report_is_consumed_once(place: &impl Place) {
    let bus = place.open().await;
    let consume = |offset| Commit {
        consumed: Some(offset),
        ..events(&["event"])
    };
    let mut owner = take(&bus, 0, "owner").await;
    owner.commit(consume(3)).await.unwrap();
    for again in [2, 3] {
        let refused = owner.commit(consume(again)).await;
        assert!(
            matches!(refused, Err(Error::AlreadyConsumed { stored: 3, .. })),
            "{refused:?}"
        );
    }
    let mut next = take(&bus, 0, "next").await;
    let refused = next.commit(consume(3)).await;
    assert!(
        matches!(refused, Err(Error::AlreadyConsumed { stored: 3, .. })),
        "{refused:?}"
    );
    next.commit(consume(4)).await.unwrap();
    assert_eq!(
        texts(&read(&bus, Stream::Events, 0).await),
        ["owner", "event", "next", "event"]
    );
}

pub(crate) async fn an_owner_that_did_not_wait_for_its_answer_commits_no_more(place: &impl Place) {
    let bus = place.open().await;
    let mut owner = take(&bus, 0, "owner").await;
    let mut given_up = false;
    while !given_up {
        tokio::select! {
            biased;
            committed = owner.commit(events(&["event"])) => { committed.unwrap(); }
            () = future::ready(()) => given_up = true,
        }
    }
    let refused = owner.commit(events(&["event"])).await;
    assert!(
        matches!(refused, Err(Error::InDoubt { partition: 0 })),
        "{refused:?}"
    );
    take(&bus, 0, "anew")
        .await
        .commit(events(&["known"]))
        .await
        .unwrap();
    assert_eq!(
        text(read(&bus, Stream::Events, 0).await.last().unwrap()),
        "known"
    );
}
