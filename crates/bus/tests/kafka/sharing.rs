//! Several processes that share the partitions out: here each is a bus of its own.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use poolshift_bus::kafka::Settings;
use poolshift_bus::{Bus, Change, Commit, Error, Membership, PARTITIONS, Position, Stream};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::suite::place::{Place as _, SOON, read, record, text};
use crate::topics::Topics;

/// What an orchestrator is to the bus: it takes what it is given, and makes an event of each report.
struct Instance {
    bus: Bus,
    membership: Membership,
    lanes: BTreeMap<u32, (watch::Sender<bool>, JoinHandle<()>)>,
}

impl Instance {
    async fn join(settings: &Settings, name: &str) -> Self {
        let bus = Bus::connect(settings).await.unwrap();
        let membership = bus.membership(name).unwrap();
        Self {
            bus,
            membership,
            lanes: BTreeMap::new(),
        }
    }

    /// Follows the changes until it has left, or for ever.
    async fn run(mut self, mut leaves: watch::Receiver<bool>, owns: watch::Sender<usize>) {
        let mut asked = false;
        loop {
            let change = tokio::select! {
                change = self.membership.next() => change.unwrap(),
                _ = leaves.wait_for(|leaves| *leaves), if !asked => {
                    asked = true;
                    self.membership.leave();
                    continue;
                }
            };
            match change {
                None => return,
                Some(Change::Assigned(partitions)) => {
                    for partition in partitions {
                        let (stop, stopped) = watch::channel(false);
                        let lane = tokio::spawn(lane(self.bus.clone(), partition, stopped));
                        self.lanes.insert(partition, (stop, lane));
                    }
                }
                Some(Change::Revoked(revoked)) => {
                    for partition in revoked.partitions() {
                        let (stop, lane) = self.lanes.remove(partition).unwrap();
                        stop.send_replace(true);
                        lane.await.unwrap();
                    }
                    revoked.acknowledge();
                }
            }
            owns.send_replace(self.lanes.len());
        }
    }
}

/// One partition, until it is to stop or was taken by another.
async fn lane(bus: Bus, partition: u32, mut stopped: watch::Receiver<bool>) {
    let taken = record(&format!("partition/{partition}"), "taken");
    let mut owner = match bus.own(partition, 0, taken).await {
        Ok(owner) => owner,
        Err(Error::Fenced { .. }) => return,
        Err(error) => panic!("{error}"),
    };
    let position = Position::after(partition, owner.consumed());
    let mut reports = bus
        .follow(Stream::Reports, &[partition], &position)
        .unwrap();
    loop {
        let report = tokio::select! {
            report = reports.next(SOON) => report.unwrap(),
            _ = stopped.wait_for(|stopped| *stopped) => return,
        };
        let Some(report) = report else { continue };
        let commit = Commit {
            events: vec![record(&report.key, &text(&report))],
            consumed: Some(report.offset),
            ..Commit::default()
        };
        match owner.commit(commit).await {
            Ok(_) => {}
            Err(Error::Fenced { .. }) => return,
            Err(error) => panic!("{error}"),
        }
    }
}

fn settings(place: &Topics) -> Settings {
    let mut settings = place.settings.clone();
    settings.session_timeout_ms = 3_000;
    settings
}

/// Appends reports to every partition until it is told to stop; gives how many to each.
async fn report(bus: Bus, stop: watch::Receiver<bool>) -> u32 {
    let mut each = 0;
    while !*stop.borrow() || each < 20 {
        for partition in 0..PARTITIONS {
            let one = record("target", &each.to_string());
            bus.append(Stream::Reports, partition, vec![one])
                .await
                .unwrap();
        }
        each += 1;
    }
    each
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_report_is_consumed_once_while_partitions_change_hands() {
    let place = Topics::new();
    let bus = place.open().await;
    let settings = settings(&place);
    let (stop, stopped) = watch::channel(false);
    let reporting = tokio::spawn(report(bus.clone(), stopped));
    let (a_leaves, leaves) = watch::channel(false);
    let (owns, mut a_owns) = watch::channel(0);
    let a = Instance::join(&settings, "a").await;
    let a = tokio::spawn(a.run(leaves, owns));
    let all = PARTITIONS as usize;
    timeout(SOON, a_owns.wait_for(|owns| *owns == all))
        .await
        .expect("a gets all")
        .unwrap();

    let (_b_leaves, leaves) = watch::channel(false);
    let (owns, mut b_owns) = watch::channel(0);
    let b = Instance::join(&settings, "b").await;
    let b = tokio::spawn(b.run(leaves, owns));
    timeout(SOON, b_owns.wait_for(|owns| *owns == all / 2))
        .await
        .expect("b gets half")
        .unwrap();
    timeout(SOON, a_owns.wait_for(|owns| *owns == all / 2))
        .await
        .expect("a keeps half")
        .unwrap();
    a_leaves.send_replace(true);
    timeout(SOON, a).await.expect("a leaves").unwrap();
    timeout(SOON, b_owns.wait_for(|owns| *owns == all))
        .await
        .expect("b gets all")
        .unwrap();
    stop.send_replace(true);
    let each = reporting.await.unwrap();

    for partition in 0..PARTITIONS {
        let last = bus.end(Stream::Reports, partition).await.unwrap();
        let until = tokio::time::Instant::now() + SOON;
        while bus.consumed(partition).await.unwrap() < last {
            assert!(
                tokio::time::Instant::now() < until,
                "partition {partition} stands still"
            );
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let events = read(&bus, Stream::Events, partition).await;
        let values: Vec<String> = events
            .iter()
            .filter(|event| event.key == "target")
            .map(text)
            .collect();
        let expected: Vec<String> = (0..each).map(|n| n.to_string()).collect();
        assert_eq!(values, expected, "partition {partition}");
    }
    b.abort();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_that_the_brokers_refuse_is_told_and_not_waited_for() {
    let place = Topics::new();
    let _bus = place.open().await;
    let mut settings = place.settings.clone();
    // The broker's least is 1 s, its most 30 min.
    settings.session_timeout_ms = 3_600_000;
    let bus = Bus::connect(&settings).await.unwrap();
    let mut membership = bus.membership("a").unwrap();
    let told = timeout(SOON, membership.next())
        .await
        .expect("it waits")
        .unwrap_err();
    assert!(told.to_string().contains("session"), "{told}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_targets_on_one_partition_do_not_meet() {
    let place = Topics::new();
    let bus = place.open().await;
    let mut owner = bus.own(2, 0, record("partition/2", "taken")).await.unwrap();
    let targets = [
        "production/checkout",
        "production/search",
        "staging/checkout",
    ];
    for n in 0..30 {
        let target = targets[n % 3];
        let value = format!("{target} {n}");
        let commit = Commit {
            events: vec![record(target, &value)],
            commands: vec![record(&format!("{target}/web1"), &value)],
            snapshots: vec![record(target, &value)],
            ..Commit::default()
        };
        owner.commit(commit).await.unwrap();
    }
    let events = read(&bus, Stream::Events, 2).await;
    for (first, target) in targets.iter().enumerate() {
        let of_target = events.iter().filter(|event| event.key == *target).map(text);
        let expected = (first..30).step_by(3).map(|n| format!("{target} {n}"));
        assert!(of_target.eq(expected), "{target}");
    }
    for stream in [Stream::Commands, Stream::Snapshots] {
        let latest = bus.latest(stream, 2).await.unwrap();
        let values: BTreeSet<String> = latest.iter().map(text).collect();
        let expected = (27..30)
            .map(|n| format!("{} {n}", targets[n % 3]))
            .collect();
        assert_eq!(
            values, expected,
            "{stream}, without what the bus itself keeps there"
        );
    }
}
