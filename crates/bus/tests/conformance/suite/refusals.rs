use std::time::Duration;

use poolshift_bus::{Error, MAX_RECORD_BYTES, PARTITIONS, Position, Stream};

use crate::suite::place::{Place, SOON, read, record, records, texts};

pub(crate) async fn only_the_owner_writes_events_commands_and_snapshots(place: &impl Place) {
    let bus = place.open().await;
    for stream in [Stream::Events, Stream::Commands, Stream::Snapshots] {
        let refused = bus.append(stream, 0, records(&["a"])).await;
        assert!(matches!(refused, Err(Error::OwnerOnly { stream: of }) if of == stream));
        assert_eq!(read(&bus, stream, 0).await, []);
    }
}

pub(crate) async fn a_partition_that_does_not_exist_is_refused(place: &impl Place) {
    let bus = place.open().await;
    let beyond = PARTITIONS;
    let appended = bus.append(Stream::Reports, beyond, records(&["a"])).await;
    assert!(matches!(
        appended,
        Err(Error::UnknownPartition {
            partition: PARTITIONS
        })
    ));
    assert!(bus.own(beyond, 0, record("a", "b")).await.is_err());
    assert!(
        bus.follow(Stream::Reports, &[0, beyond], &Position::Start)
            .is_err()
    );
    assert!(bus.end(Stream::Reports, beyond).await.is_err());
    assert!(bus.latest(Stream::Commands, beyond).await.is_err());
    assert!(bus.consumed(beyond).await.is_err());
}

pub(crate) async fn a_record_that_is_too_large_is_refused_with_its_whole_batch(place: &impl Place) {
    let bus = place.open().await;
    let largest = record("k", &"x".repeat(MAX_RECORD_BYTES - 1));
    let mut too_large = largest.clone();
    too_large.headers.push(("h".to_owned(), String::new()));

    let refused = bus
        .append(Stream::Reports, 0, vec![largest.clone(), too_large])
        .await;
    assert!(
        matches!(refused, Err(Error::TooLarge { .. })),
        "{refused:?}"
    );
    assert_eq!(bus.end(Stream::Reports, 0).await.unwrap(), None);
    bus.append(Stream::Reports, 0, vec![largest.clone()])
        .await
        .unwrap();
    assert_eq!(read(&bus, Stream::Reports, 0).await[0].value, largest.value);
}

pub(crate) async fn a_position_beyond_the_end_is_refused(place: &impl Place) {
    let bus = place.open().await;
    let offsets = bus
        .append(Stream::Reports, 0, records(&["a"]))
        .await
        .unwrap();
    let at_end = Position::after(0, Some(offsets[0]));
    bus.follow(Stream::Reports, &[0], &at_end).unwrap();

    let beyond = Position::after(0, Some(offsets[0] + 1));
    let refused = match bus.follow(Stream::Reports, &[0], &beyond) {
        Ok(mut follower) => follower.next(SOON).await.map(|_| ()),
        Err(error) => Err(error),
    };
    assert!(
        matches!(refused, Err(Error::BeyondEnd { .. })),
        "{refused:?}"
    );
}

pub(crate) async fn plain_streams_have_no_latest_record_of_a_key(place: &impl Place) {
    let bus = place.open().await;
    for stream in [Stream::Reports, Stream::Events, Stream::Rejected] {
        let refused = bus.latest(stream, 0).await;
        assert!(
            matches!(refused, Err(Error::NotCompacted { .. })),
            "{refused:?}"
        );
    }
}

pub(crate) async fn what_is_kept_for_ever_does_not_expire(place: &impl Place) {
    let bus = place.open().await;
    for stream in [Stream::Events, Stream::Commands, Stream::Snapshots] {
        let refused = bus.expire(stream, u64::MAX).await;
        assert!(
            matches!(refused, Err(Error::NeverExpires { .. })),
            "{refused:?}"
        );
    }
}

pub(crate) async fn a_closed_bus_says_so(place: &impl Place) {
    let bus = place.open().await;
    let mut owner = bus.own(0, 0, record("partition/0", "taken")).await.unwrap();
    let mut follower = bus.follow(Stream::Reports, &[0], &Position::Start).unwrap();
    let waits = tokio::spawn(async move { follower.next(Duration::MAX).await });
    tokio::task::yield_now().await;
    bus.close().await.unwrap();
    bus.close().await.unwrap();

    let woken = tokio::time::timeout(SOON, waits)
        .await
        .expect("it sleeps on")
        .unwrap();
    assert!(matches!(woken, Err(Error::Closed)), "{woken:?}");
    let appended = bus.append(Stream::Reports, 0, records(&["a"])).await;
    assert!(matches!(appended, Err(Error::Closed)), "{appended:?}");
    let committed = owner.commit(poolshift_bus::Commit::default()).await;
    assert!(matches!(committed, Err(Error::Closed)), "{committed:?}");
    let ended = bus.end(Stream::Reports, 0).await;
    assert!(matches!(ended, Err(Error::Closed)), "{ended:?}");

    let bus = place.open().await;
    assert_eq!(texts(&read(&bus, Stream::Events, 0).await), ["taken"]);
}
