//! A target that stands still, on a real log that a newer version has written to.

use std::path::Path;

use bus::{Bus, Commit, Outgoing, Position, Record, Stream};
use events::{Envelope, Link, Subject, Target, link, partition_of};

use crate::support::{DIGEST, House};

/// Appends an event of a type that this version does not know, as its rightful owner would.
fn write_of_the_future(log: &str, target: &Target) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let bus = Bus::open(Path::new(log)).unwrap();
        let partition = partition_of(&Subject::Target(target.clone()));
        let mut events = bus
            .follow(Stream::Events, &[partition], &Position::Start)
            .unwrap();
        let records = events.catch_up().await.unwrap();
        let key = target.to_string();
        let last = records.iter().rfind(|record| record.key == key).unwrap();
        let taken = records
            .iter()
            .find(|record| record.key.starts_with("partition/"))
            .unwrap();
        let mut owner = bus.own(partition, 0, copy(taken)).await.unwrap();
        let mut envelope = Envelope::from_headers(&last.headers).unwrap();
        envelope.n = envelope.n.map(|n| n + 1);
        envelope.id = Envelope::event_id(&envelope.subject, envelope.n.unwrap());
        envelope.kind = "poolshift.of-the-future".to_owned();
        envelope.prev = Some(link(Link {
            headers: &last.headers,
            value: &last.value,
        }));
        let event = Outgoing {
            key,
            headers: envelope.to_headers(),
            value: b"{}".to_vec(),
        };
        let commit = Commit {
            events: vec![event],
            ..Commit::default()
        };
        owner.commit(commit).await.unwrap();
        bus.close().await.unwrap();
    });
}

fn copy(record: &Record) -> Outgoing {
    Outgoing {
        key: record.key.clone(),
        headers: record.headers.clone(),
        value: record.value.clone(),
    }
}

#[test]
fn status_shows_a_target_that_stands_still_and_exits_with_1_and_the_others_go_on() {
    let mut house = House::ready();
    assert_eq!(house.stop(), 0);
    let target: Target = "staging/checkout".parse().unwrap();
    write_of_the_future(&house.path("poolshift.db"), &target);
    house.again();

    let shown = house.run(&["status", "staging/checkout"]);
    assert_eq!(shown.code, 1, "{shown:?}");
    let line = "waits for a person: the target stands still: event at offset ";
    assert!(shown.out.contains(line), "{shown:?}");
    assert!(shown.out.contains("poolshift.of-the-future"), "{shown:?}");
    assert!(shown.out.contains("web1"), "{shown:?}");
    let json = house.run(&["status", "staging/checkout", "--json"]);
    assert_eq!(json.code, 1);
    let read: serde_json::Value = serde_json::from_str(&json.out).unwrap();
    assert!(read[0]["stands_still"].is_string(), "{read}");

    let start = ["--version", "2.0", "--sha256", DIGEST];
    let refused = house.run(&[&["start", "staging/checkout"], &start[..]].concat());
    assert_eq!(refused.code, 1);
    assert!(refused.errors.contains("stands still"), "{refused:?}");

    house.run(&["status", "production/checkout"]).good();
    assert_eq!(house.run(&["status"]).code, 1);
    house.rollout("production/checkout", &["--as", "ann"]);
    house.until("production/checkout", "0 of 1 approvals");
}
