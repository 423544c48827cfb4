//! An owner that slept while another took its partition.

use std::collections::BTreeMap;

use poolshift_bus::{Bus, Commit, Stream};
use rustix::process::Signal;

use crate::child::OtherOwner;
use crate::suite::place::{Place as _, read, record, texts};
use crate::topics::Topics;

/// What the other owner wrote, and how often each; the records of the takings left out.
async fn written(bus: &Bus, after: Option<u64>) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for event in read(bus, Stream::Events, 0).await {
        if event.key == "target" && Some(event.offset) > after {
            let value = String::from_utf8(event.value).unwrap();
            *counts.entry(value).or_default() += 1;
        }
    }
    counts
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_owner_that_was_stopped_and_goes_on_writes_nothing_and_learns_it() {
    let place = Topics::new();
    let bus = place.open().await;
    let mut other = OtherOwner::of(&place.settings);
    let mut acknowledged = 0;
    while acknowledged < 20 {
        let said = other.next().expect("it ended by itself");
        assert!(said.starts_with("committed "), "{said}");
        acknowledged += 1;
    }
    // It never pauses, so this is in the middle of a commit.
    other.signal(Signal::STOP);
    let mut owner = bus.own(0, 0, record("partition/0", "owner")).await.unwrap();
    let mine = Commit {
        commands: vec![record("web1", "of the owner")],
        ..Commit::default()
    };
    owner.commit(mine).await.unwrap();
    other.signal(Signal::CONT);
    let mut said = Vec::new();
    while let Some(line) = other.next() {
        said.push(line);
    }
    let last = said.pop().expect("it says how it ended");
    assert!(last.starts_with("ended Fenced"), "{last}");
    acknowledged += said.len();

    assert_eq!(written(&bus, Some(owner.taken_at())).await, BTreeMap::new());
    let written = written(&bus, None).await;
    // The commit that it was stopped in may stand though it never heard of it.
    assert!(
        (acknowledged..=acknowledged + 1).contains(&written.len()),
        "{acknowledged}"
    );
    assert!(
        written.values().all(|count| *count == 2),
        "a commit is whole: {written:?}"
    );
    assert_eq!(
        texts(&read(&bus, Stream::Commands, 0).await),
        ["of the owner"]
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_owner_that_was_killed_holds_nobody_up() {
    let place = Topics::new();
    let bus = place.open().await;
    let mut other = OtherOwner::of(&place.settings);
    for _ in 0..5 {
        other.next().expect("it ended by itself");
    }
    other.signal(Signal::KILL);
    let begun = std::time::Instant::now();
    let mut owner = bus.own(0, 0, record("partition/0", "owner")).await.unwrap();
    owner
        .commit(Commit {
            events: vec![record("target", "next"), record("target", "next")],
            ..Commit::default()
        })
        .await
        .unwrap();
    let took = begun.elapsed();
    // Far less than its transaction would have lived: 10 s.
    assert!(took.as_secs() < 5, "{took:?}");
    println!("taken from a killed owner in {took:?}");
    let written = written(&bus, None).await;
    assert!(
        written.values().all(|count| *count == 2),
        "a commit is whole: {written:?}"
    );
}
