use poolshift_bus::backup::{self, Contents, Export};
use poolshift_bus::{Bus, Commit, Error, Outgoing, Record, Stream};

use crate::suite::place::{Place, read, record, records};

/// A log with something in every stream, in two partitions; one report of three is consumed.
async fn used(bus: &Bus) {
    for partition in [0, 4] {
        let reports = records(&["one", "two", "three"]);
        let reports = bus.append(Stream::Reports, partition, reports).await;
        let taken = record("partition", "taken");
        let mut owner = bus.own(partition, 700, taken).await.unwrap();
        let decision = Commit {
            events: vec![
                Outgoing {
                    headers: vec![("ce_id".to_owned(), "\"quoted\" \n\u{1f980}".to_owned())],
                    ..record("target", "{\"a\": 1}  ")
                },
                Outgoing {
                    value: vec![0, 159, 146, 150],
                    ..record("target", "")
                },
            ],
            commands: records(&["command"]),
            snapshots: records(&["snapshot"]),
            rejected: records(&["rejected"]),
            consumed: Some(reports.unwrap()[0]),
            ..Commit::default()
        };
        owner.commit(decision).await.unwrap();
    }
}

async fn exported(bus: &Bus) -> Vec<u8> {
    let mut export = Export::begin(bus, "a test").await.unwrap();
    let mut bytes = Vec::new();
    while let Some(lines) = export.next().await.unwrap() {
        bytes.extend(lines);
    }
    bytes
}

async fn imported(bus: &Bus, backup: &[u8]) -> Result<backup::Imported, Error> {
    let taken = |partition, base| record(&format!("partition/{partition}"), &format!("{base}"));
    backup::import(bus, backup, taken).await
}

fn bytes(records: Vec<Record>) -> Vec<Outgoing> {
    let outgoing = |record: Record| Outgoing {
        key: record.key,
        headers: record.headers,
        value: record.value,
    };
    records.into_iter().map(outgoing).collect()
}

pub(crate) async fn a_backup_brings_back_every_byte_in_its_order(place: &impl Place) {
    let old = place.open().await;
    used(&old).await;
    let backup = exported(&old).await;
    let elsewhere = place.another();
    let new = elsewhere.open().await;
    let made = imported(&new, &backup).await.unwrap();
    let held = Contents {
        written_by: "a test".to_owned(),
        events: 6,
        reports: 6,
        rejected: 2,
    };
    assert_eq!(backup::check(backup.as_slice()).unwrap(), held);
    assert_eq!(made.contents, held);
    for partition in [0, 4] {
        let events = bytes(read(&new, Stream::Events, partition).await);
        let before = bytes(read(&old, Stream::Events, partition).await);
        assert_eq!(
            events[1..],
            before,
            "after the record that took the new log"
        );
        for stream in [Stream::Reports, Stream::Rejected] {
            let before = bytes(read(&old, stream, partition).await);
            assert_eq!(bytes(read(&new, stream, partition).await), before);
        }
        for stream in [Stream::Commands, Stream::Snapshots] {
            assert_eq!(read(&new, stream, partition).await, [], "made anew");
        }
    }
}

pub(crate) async fn after_an_import_reports_go_on_and_epochs_rise(place: &impl Place) {
    let old = place.open().await;
    used(&old).await;
    let backup = exported(&old).await;
    let elsewhere = place.another();
    let new = elsewhere.open().await;
    let made = imported(&new, &backup).await.unwrap();
    for partition in [0, 4] {
        let former = old.ownership(partition).await.unwrap().unwrap();
        let ownership = new.ownership(partition).await.unwrap().unwrap();
        assert!(ownership.epoch > former.epoch);
        assert_eq!(made.epochs[partition as usize], ownership.epoch);
        let reports = read(&new, Stream::Reports, partition).await;
        assert_eq!(ownership.consumed, Some(reports[0].offset));
    }
    assert_eq!(new.consumed(1).await.unwrap(), None);
    let low = new.own(0, 0, record("partition", "too low")).await;
    assert!(matches!(low, Err(Error::EpochTooLow { .. })), "{low:?}");
}

pub(crate) async fn what_comes_after_the_beginning_is_in_the_next_backup(place: &impl Place) {
    let bus = place.open().await;
    used(&bus).await;
    let before = exported(&bus).await;
    let mut export = Export::begin(&bus, "a test").await.unwrap();
    used(&bus).await;
    let mut bytes = Vec::new();
    while let Some(lines) = export.next().await.unwrap() {
        bytes.extend(lines);
    }
    assert_eq!(bytes, before);
    assert_eq!(
        backup::check(exported(&bus).await.as_slice())
            .unwrap()
            .events,
        12
    );
}

pub(crate) async fn a_backup_that_was_cut_or_changed_is_refused(place: &impl Place) {
    let bus = place.open().await;
    used(&bus).await;
    let backup = exported(&bus).await;
    for end in 0..backup.len() {
        let cut = backup::check(&backup[..end]);
        assert!(
            matches!(cut, Err(Error::Backup { .. })),
            "cut at {end}: {cut:?}"
        );
    }
    for place in 0..backup.len() {
        let mut changed = backup.clone();
        changed[place] ^= 1;
        let changed = backup::check(changed.as_slice());
        assert!(
            matches!(changed, Err(Error::Backup { .. })),
            "byte {place}: {changed:?}"
        );
    }
    let twice = [backup.as_slice(), backup.as_slice()].concat();
    let twice = backup::check(twice.as_slice()).unwrap_err().to_string();
    assert!(twice.contains("followed by more"), "{twice}");
}

pub(crate) async fn a_log_that_is_in_use_takes_no_backup(place: &impl Place) {
    let bus = place.open().await;
    used(&bus).await;
    let backup = exported(&bus).await;
    let refused = imported(&bus, &backup).await;
    assert!(
        matches!(refused, Err(Error::NotEmpty { .. })),
        "{refused:?}"
    );
    assert_eq!(exported(&bus).await, backup, "nothing was written");
}
