use std::collections::BTreeMap;
use std::time::Duration;

use poolshift_bus::{Outgoing, PARTITIONS, Position, Stream};

use crate::suite::place::{Place, SOON, read, record, records, text, texts};

pub(crate) async fn records_come_back_as_they_were_appended(place: &impl Place) {
    let bus = place.open().await;
    let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let appended = vec![
        Outgoing {
            key: "production/käse".to_owned(),
            headers: vec![
                header("ce_type", "a"),
                header("b", "\"\n"),
                header("ce_type", "c"),
            ],
            value: vec![0, 255, 10, 0],
        },
        Outgoing::default(),
    ];
    bus.append(Stream::Reports, 3, appended.clone())
        .await
        .unwrap();

    let read = read(&bus, Stream::Reports, 3).await;
    for (read, appended) in read.iter().zip(&appended) {
        assert_eq!((read.stream, read.partition), (Stream::Reports, 3));
        assert_eq!(read.key, appended.key);
        assert_eq!(read.headers, appended.headers);
        assert_eq!(read.value, appended.value);
    }
    assert_eq!(read.len(), appended.len());
}

pub(crate) async fn records_are_read_by_their_offsets(place: &impl Place) {
    let bus = place.open().await;
    let offsets = bus
        .append(Stream::Reports, 0, records(&["a", "b", "c"]))
        .await
        .unwrap();
    let wanted = vec![offsets[2], offsets[0], offsets[2] + 1];
    let read = bus.read(Stream::Reports, 0, wanted.clone()).await.unwrap();
    assert_eq!(texts(&read), ["c", "a"]);
    let elsewhere = bus.read(Stream::Reports, 1, wanted).await.unwrap();
    assert_eq!(texts(&elsewhere), [""; 0]);
}

pub(crate) async fn offsets_rise_and_the_end_is_the_last_of_them(place: &impl Place) {
    let bus = place.open().await;
    assert_eq!(bus.end(Stream::Reports, 0).await.unwrap(), None);
    assert!(
        bus.append(Stream::Reports, 0, Vec::new())
            .await
            .unwrap()
            .is_empty()
    );
    let mut offsets = bus
        .append(Stream::Reports, 0, records(&["a", "b"]))
        .await
        .unwrap();
    offsets.extend(
        bus.append(Stream::Reports, 0, records(&["c"]))
            .await
            .unwrap(),
    );

    assert!(offsets.is_sorted_by(|a, b| a < b), "{offsets:?}");
    assert_eq!(
        bus.end(Stream::Reports, 0).await.unwrap(),
        offsets.last().copied()
    );
    let read: Vec<u64> = read(&bus, Stream::Reports, 0)
        .await
        .iter()
        .map(|r| r.offset)
        .collect();
    assert_eq!(read, offsets);
}

pub(crate) async fn what_was_acknowledged_is_there_after_a_restart(place: &impl Place) {
    let bus = place.open().await;
    bus.append(Stream::Reports, 1, records(&["a", "b"]))
        .await
        .unwrap();
    let before = read(&bus, Stream::Reports, 1).await;
    bus.close().await.unwrap();

    let bus = place.open().await;
    assert_eq!(read(&bus, Stream::Reports, 1).await, before);
    let offsets = bus
        .append(Stream::Reports, 1, records(&["c"]))
        .await
        .unwrap();
    assert!(offsets[0] > before[1].offset);
}

pub(crate) async fn every_follower_sees_each_record_once_and_in_order_under_concurrent_appends(
    place: &impl Place,
) {
    const WRITERS: usize = 8;
    const EACH: usize = 25;
    let bus = place.open().await;
    let mut followers = Vec::new();
    for _ in 0..3 {
        let mut follower = bus.follow(Stream::Reports, &[2], &Position::Start).unwrap();
        followers.push(tokio::spawn(async move {
            let mut seen = Vec::new();
            while seen.len() < WRITERS * EACH {
                let batch = follower.next_batch(7, SOON).await.unwrap();
                assert!(!batch.is_empty(), "only {} came", seen.len());
                seen.extend(batch);
            }
            seen
        }));
    }
    let mut writers = tokio::task::JoinSet::new();
    for writer in 0..WRITERS {
        let bus = bus.clone();
        writers.spawn(async move {
            for n in 0..EACH {
                let one = record(&writer.to_string(), &n.to_string());
                bus.append(Stream::Reports, 2, vec![one]).await.unwrap();
            }
        });
    }
    writers.join_all().await;

    let stands = read(&bus, Stream::Reports, 2).await;
    assert_eq!(stands.len(), WRITERS * EACH);
    assert!(stands.is_sorted_by(|a, b| a.offset < b.offset));
    for writer in 0..WRITERS {
        let key = writer.to_string();
        let of_writer: Vec<_> = stands.iter().filter(|record| record.key == key).collect();
        let in_order = (0..EACH).map(|n| n.to_string());
        assert!(
            of_writer.into_iter().map(text).eq(in_order),
            "the order of writer {writer}"
        );
    }
    for follower in followers {
        assert_eq!(follower.await.unwrap(), stands);
    }
}

pub(crate) async fn a_follower_goes_on_after_a_position(place: &impl Place) {
    let bus = place.open().await;
    bus.append(Stream::Reports, 0, records(&["a", "b", "c"]))
        .await
        .unwrap();
    let mut first = bus.follow(Stream::Reports, &[0], &Position::Start).unwrap();
    assert_eq!(first.position(0), None);
    let b = first.next_batch(2, SOON).await.unwrap().pop().unwrap();
    assert_eq!(first.position(0), Some(b.offset));
    bus.close().await.unwrap();

    let bus = place.open().await;
    let from = Position::after(0, Some(b.offset));
    let mut second = bus.follow(Stream::Reports, &[0], &from).unwrap();
    assert_eq!(second.position(0), Some(b.offset));
    assert_eq!(text(&second.next(SOON).await.unwrap().unwrap()), "c");
    assert_eq!(second.next(Duration::ZERO).await.unwrap(), None);
    assert_eq!(
        second.position(0),
        bus.end(Stream::Reports, 0).await.unwrap()
    );
}

pub(crate) async fn a_follower_of_several_partitions_keeps_the_order_of_each(place: &impl Place) {
    let bus = place.open().await;
    let all: Vec<u32> = (0..PARTITIONS).collect();
    for n in 0..50 {
        for partition in &all {
            let one = record("key", &n.to_string());
            bus.append(Stream::Reports, *partition, vec![one])
                .await
                .unwrap();
        }
    }
    let skipped = read(&bus, Stream::Reports, 4).await[9].offset;
    let from = Position::After(BTreeMap::from([(4, skipped)]));
    let mut follower = bus.follow(Stream::Reports, &all, &from).unwrap();
    let mut seen: BTreeMap<u32, Vec<String>> = BTreeMap::new();
    for record in follower.catch_up().await.unwrap() {
        seen.entry(record.partition)
            .or_default()
            .push(text(&record));
    }
    for partition in all {
        let first = if partition == 4 { 10 } else { 0 };
        assert_eq!(
            seen[&partition],
            (first..50).map(|n| n.to_string()).collect::<Vec<_>>()
        );
    }
}

pub(crate) async fn a_follower_wakes_for_a_record_and_gives_up_at_its_deadline(place: &impl Place) {
    let bus = place.open().await;
    let mut follower = bus.follow(Stream::Reports, &[0], &Position::Start).unwrap();
    assert_eq!(
        follower.next(Duration::from_millis(10)).await.unwrap(),
        None
    );

    let waits = tokio::spawn(async move { follower.next(Duration::MAX).await.unwrap().unwrap() });
    tokio::task::yield_now().await;
    bus.append(Stream::Reports, 0, records(&["woken"]))
        .await
        .unwrap();
    let woken = tokio::time::timeout(SOON, waits)
        .await
        .expect("it sleeps on")
        .unwrap();
    assert_eq!(text(&woken), "woken");
}

pub(crate) async fn a_wait_that_is_dropped_loses_nothing(place: &impl Place) {
    const RECORDS: usize = 100;
    let bus = place.open().await;
    let mut follower = bus.follow(Stream::Reports, &[0], &Position::Start).unwrap();
    let writer = tokio::spawn({
        let bus = bus.clone();
        async move {
            for n in 0..RECORDS {
                let one = record("key", &n.to_string());
                bus.append(Stream::Reports, 0, vec![one]).await.unwrap();
            }
        }
    });
    let mut seen = Vec::new();
    let mut dropped = 0;
    let deadline = tokio::time::Instant::now() + SOON;
    while seen.len() < RECORDS {
        assert!(
            tokio::time::Instant::now() < deadline,
            "only {} came",
            seen.len()
        );
        tokio::select! {
            biased;
            batch = follower.next_batch(3, SOON) => seen.extend(batch.unwrap()),
            () = tokio::task::yield_now() => dropped += 1,
        }
    }
    writer.await.unwrap();
    assert!(dropped > 0, "no wait was dropped, so nothing was shown");
    assert_eq!(seen, read(&bus, Stream::Reports, 0).await);
}

pub(crate) async fn partitions_and_streams_are_apart(place: &impl Place) {
    let bus = place.open().await;
    bus.append(Stream::Reports, 0, records(&["report 0"]))
        .await
        .unwrap();
    bus.append(Stream::Reports, 1, records(&["report 1"]))
        .await
        .unwrap();
    bus.append(Stream::Rejected, 0, records(&["rejected 0"]))
        .await
        .unwrap();

    assert_eq!(texts(&read(&bus, Stream::Reports, 0).await), ["report 0"]);
    assert_eq!(texts(&read(&bus, Stream::Reports, 1).await), ["report 1"]);
    assert_eq!(
        texts(&read(&bus, Stream::Rejected, 0).await),
        ["rejected 0"]
    );
    assert_eq!(read(&bus, Stream::Rejected, 1).await, []);
    assert_eq!(read(&bus, Stream::Events, 0).await, []);
}
