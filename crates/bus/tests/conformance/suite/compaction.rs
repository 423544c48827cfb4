use poolshift_bus::{Bus, Commit, Outgoing, Owner, Position, Stream};

use crate::suite::place::{Place, SOON, read, record, text, texts};

const COMPACTED: [Stream; 2] = [Stream::Commands, Stream::Snapshots];

async fn take(bus: &Bus, partition: u32) -> Owner {
    bus.own(partition, 0, record("partition", "taken"))
        .await
        .unwrap()
}

async fn write(owner: &mut Owner, stream: Stream, records: Vec<Outgoing>) {
    let mut commit = Commit::default();
    match stream {
        Stream::Commands => commit.commands = records,
        Stream::Snapshots => commit.snapshots = records,
        Stream::Reports | Stream::Events | Stream::Rejected => panic!("{stream} is not compacted"),
    }
    owner.commit(commit).await.unwrap();
}

pub(crate) async fn compacted_streams_hold_the_latest_record_of_each_key(place: &impl Place) {
    let bus = place.open().await;
    let mut owner = take(&bus, 0).await;
    for stream in COMPACTED {
        write(
            &mut owner,
            stream,
            vec![record("web1", "1"), record("web2", "1")],
        )
        .await;
        write(
            &mut owner,
            stream,
            vec![record("web1", "2"), record("web1", "3")],
        )
        .await;
        write(&mut owner, stream, vec![record("web3", "1")]).await;

        let latest = bus.latest(stream, 0).await.unwrap();
        let keys: Vec<_> = latest.iter().map(|record| record.key.as_str()).collect();
        assert_eq!(
            keys,
            ["web2", "web1", "web3"],
            "{stream}, in the order of their offsets"
        );
        assert_eq!(texts(&latest), ["1", "3", "1"], "{stream}");
        assert!(latest.is_sorted_by(|a, b| a.offset < b.offset));
        assert_eq!(bus.latest(stream, 1).await.unwrap(), []);
    }
    bus.close().await.unwrap();

    let bus = place.open().await;
    assert_eq!(
        texts(&bus.latest(Stream::Commands, 0).await.unwrap()),
        ["1", "3", "1"]
    );
}

pub(crate) async fn an_empty_value_is_a_value(place: &impl Place) {
    let bus = place.open().await;
    let mut owner = take(&bus, 0).await;
    for stream in COMPACTED {
        write(&mut owner, stream, vec![record("web1", "full")]).await;
        write(&mut owner, stream, vec![record("web1", "")]).await;
        let latest = bus.latest(stream, 0).await.unwrap();
        assert_eq!(latest.len(), 1, "{stream}");
        assert_eq!(latest[0].value, b"");
    }
}

pub(crate) async fn a_follower_reads_to_the_end_and_then_what_comes(place: &impl Place) {
    let bus = place.open().await;
    let mut owner = take(&bus, 0).await;
    write(
        &mut owner,
        Stream::Commands,
        vec![record("web1", "install")],
    )
    .await;
    write(&mut owner, Stream::Commands, vec![record("web2", "drain")]).await;
    write(
        &mut owner,
        Stream::Commands,
        vec![record("web1", "restore")],
    )
    .await;

    let mut worker = bus
        .follow(Stream::Commands, &[0, 1], &Position::Start)
        .unwrap();
    assert_eq!(
        texts(&worker.catch_up().await.unwrap()),
        ["drain", "restore"]
    );
    assert_eq!(
        worker.position(0),
        bus.end(Stream::Commands, 0).await.unwrap()
    );
    assert_eq!(worker.catch_up().await.unwrap(), []);
    for value in ["idle", "fetch"] {
        write(&mut owner, Stream::Commands, vec![record("web1", value)]).await;
        assert_eq!(text(&worker.next(SOON).await.unwrap().unwrap()), value);
    }
}

pub(crate) async fn no_offset_is_used_twice(place: &impl Place) {
    let bus = place.open().await;
    let mut last = None;
    for restart in 0..3 {
        let bus = if restart == 0 {
            bus.clone()
        } else {
            place.open().await
        };
        let mut owner = take(&bus, 0).await;
        for _ in 0..3 {
            write(
                &mut owner,
                Stream::Commands,
                vec![record("web1", "command")],
            )
            .await;
            let stands = read(&bus, Stream::Commands, 0).await;
            assert_eq!(stands.len(), 1);
            let offset = Some(stands[0].offset);
            assert!(offset > last, "{offset:?} after {last:?}");
            last = offset;
        }
        bus.close().await.unwrap();
    }
}

pub(crate) async fn the_same_key_in_another_partition_is_another_key(place: &impl Place) {
    let bus = place.open().await;
    let (mut zero, mut one) = (take(&bus, 0).await, take(&bus, 1).await);
    write(&mut zero, Stream::Commands, vec![record("web1", "of 0")]).await;
    write(&mut one, Stream::Commands, vec![record("web1", "of 1")]).await;
    assert_eq!(texts(&read(&bus, Stream::Commands, 0).await), ["of 0"]);
    assert_eq!(texts(&read(&bus, Stream::Commands, 1).await), ["of 1"]);
}
