//! `poolshift replay`: what was decided is decided again, byte for byte.

use std::path::Path;

use bus::{Bus, Commit, Outgoing, PARTITIONS, Position, Record, Stream};
use events::{Envelope, Link, Subject, link};

use crate::support::{House, run};

/// A log in which something was decided, and which nobody uses any more.
fn stopped() -> House {
    let mut house = House::ready();
    let rollout = house.rollout("staging/checkout", &[]);
    house.until("staging/checkout", "running");
    house.run(&["abort", &rollout, "--reason", "enough"]).good();
    house.rollout("production/checkout", &["--as", "ann"]);
    house.until("production/checkout", "0 of 1 approvals");
    assert_eq!(house.stop(), 0);
    house.again();
    assert_eq!(house.stop(), 0);
    house
}

#[test]
fn a_log_is_decided_again_the_same() {
    let house = stopped();
    let said = run(&["replay", "--log", &house.path("poolshift.db")]);
    let said = said.good();
    assert!(said.contains("staging/checkout: "), "{said}");
    let last = said.lines().last().unwrap();
    let count = last
        .strip_prefix("same: ")
        .unwrap()
        .split(' ')
        .next()
        .unwrap();
    assert!(count.parse::<u32>().unwrap() >= 9, "{said}");
    let json = run(&["replay", "--json", "--log", &house.path("poolshift.db")]).json();
    assert_eq!(json["skipped"], 0);
    assert_eq!(json["same"].to_string(), count);
}

#[test]
fn a_log_in_use_is_left_alone() {
    let house = House::start();
    let said = run(&["replay", "--log", &house.path("poolshift.db")]);
    assert_eq!(said.code, 1);
    assert!(said.errors.contains("is in use"), "{said:?}");
    let said = run(&["replay", "--log", &house.path("nothing.db")]);
    assert!(said.errors.contains("there is no log"), "{said:?}");
}

#[test]
fn a_changed_event_is_found_by_the_chain() {
    let house = stopped();
    let log = house.path("changed.db");
    copy(&house.path("poolshift.db"), &log, false);
    let said = run(&["replay", "--log", &log]);
    assert_eq!(said.code, 1);
    assert!(
        said.out.contains("names another event before it"),
        "{said:?}"
    );
}

#[test]
fn a_changed_event_with_a_mended_chain_is_found_by_the_decision() {
    let house = stopped();
    let log = house.path("forged.db");
    copy(&house.path("poolshift.db"), &log, true);
    let said = run(&["replay", "--log", &log]);
    assert_eq!(said.code, 1);
    assert!(said.out.contains("differs: event "), "{said:?}");
    assert!(
        said.out.contains("recorded: poolshift.abort-requested"),
        "{said:?}"
    );
    assert!(said.out.contains("\"reason\":\"forged\""), "{said:?}");
    assert!(said.out.contains("\"reason\":\"enough\""), "{said:?}");
}

/// Copies a log with another reason of the abort; `mend` makes the chain fit it.
fn copy(from: &str, to: &str, mend: bool) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let from = Bus::open(Path::new(from)).unwrap();
        let to = Bus::open(Path::new(to)).unwrap();
        for partition in 0..PARTITIONS {
            let reports = all(&from, Stream::Reports, partition).await;
            let reports = reports.iter().map(outgoing).collect();
            to.append(Stream::Reports, partition, reports)
                .await
                .unwrap();
            let events = forged(&all(&from, Stream::Events, partition).await, mend);
            let mut owner = to
                .own(
                    partition,
                    0,
                    Outgoing {
                        key: format!("partition/{partition}"),
                        headers: taken_headers(&from, partition).await,
                        value: Vec::new(),
                    },
                )
                .await
                .unwrap();
            let commit = Commit {
                events,
                ..Commit::default()
            };
            owner.commit(commit).await.unwrap();
        }
        from.close().await.unwrap();
        to.close().await.unwrap();
    });
}

/// Headers of a record that says who owns a partition; every log begins with one.
async fn taken_headers(bus: &Bus, partition: u32) -> Vec<(String, String)> {
    all(bus, Stream::Events, partition).await[0].headers.clone()
}

async fn all(bus: &Bus, stream: Stream, partition: u32) -> Vec<Record> {
    let mut follower = bus.follow(stream, &[partition], &Position::Start).unwrap();
    follower.catch_up().await.unwrap()
}

fn outgoing(record: &Record) -> Outgoing {
    Outgoing {
        key: record.key.clone(),
        headers: record.headers.clone(),
        value: record.value.clone(),
    }
}

fn forged(records: &[Record], mend: bool) -> Vec<Outgoing> {
    let mut heads = std::collections::BTreeMap::new();
    let mut forged = Vec::new();
    for record in records {
        let mut envelope = Envelope::from_headers(&record.headers).unwrap();
        if matches!(envelope.subject, Subject::Partition(_)) {
            continue;
        }
        let mut new = outgoing(record);
        if envelope.kind == "poolshift.abort-requested" {
            let text = String::from_utf8(new.value).unwrap();
            new.value = text.replace("enough", "forged").into_bytes();
        }
        if mend {
            envelope.prev = heads.get(&envelope.subject).copied();
            new.headers = envelope.to_headers();
        }
        let stored = Link {
            headers: &new.headers,
            value: &new.value,
        };
        heads.insert(envelope.subject.clone(), link(stored));
        forged.push(new);
    }
    forged
}
