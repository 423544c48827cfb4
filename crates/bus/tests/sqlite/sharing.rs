use std::time::{Duration, Instant};

use poolshift_bus::{Bus, Commit, Error, Outgoing, Record, Stream};
use rusqlite::Connection;
use tempfile::TempDir;
use tokio::task::JoinHandle;

use crate::records::{read, record};

/// Keeps the writer from writing, as a slow disk would, until it is dropped.
pub(crate) fn hold_the_disk(path: &std::path::Path) -> Connection {
    let conn = Connection::open(path).unwrap();
    conn.execute_batch("BEGIN IMMEDIATE").unwrap();
    conn
}

pub(crate) async fn until_waiting(bus: &Bus, waiting: u64) {
    let started = Instant::now();
    while bus.stats().waiting < waiting {
        assert!(
            started.elapsed() < Duration::from_secs(4),
            "{:?}",
            bus.stats()
        );
        tokio::task::yield_now().await;
    }
}

fn append(bus: &Bus, one: Outgoing) -> JoinHandle<Result<Vec<u64>, Error>> {
    let bus = bus.clone();
    tokio::spawn(async move { bus.append(Stream::Reports, 0, vec![one]).await })
}

/// A log whose disk stands still, and who waits for it.
struct Crowd {
    folder: TempDir,
    bus: Bus,
    disk: Connection,
    writers: Vec<JoinHandle<Result<Vec<u64>, Error>>>,
}

impl Crowd {
    /// So many writers, when so many of them wait.
    async fn of(count: u64, waiting: u64) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        let bus = Bus::open(&path).unwrap();
        let disk = hold_the_disk(&path);
        let writers = (0..count)
            .map(|n| append(&bus, record("key", &n.to_string())))
            .collect();
        until_waiting(&bus, waiting).await;
        Self {
            folder,
            bus,
            disk,
            writers,
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sixty_four_that_wait_for_the_disk_share_its_flushes() {
    let Crowd {
        folder: _folder,
        bus,
        disk,
        writers,
    } = Crowd::of(64, 64).await;
    drop(disk);
    for writer in writers {
        writer.await.unwrap().unwrap();
    }
    let stats = bus.stats();
    assert_eq!((stats.writes, stats.records, stats.waiting), (64, 64, 0));
    // Those that the writer had taken when the disk stood still, and all the others.
    assert!(stats.flushes.unwrap() <= 2, "{stats:?}");
    assert_eq!(read(&bus, Stream::Reports, 0).await.len(), 64);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refused_write_spoils_none_that_share_its_transaction() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log");
    let bus = Bus::open(&path).unwrap();
    let mut former = bus
        .own(0, 0, record("partition/0", "former"))
        .await
        .unwrap();
    let mut owner = bus.own(0, 0, record("partition/0", "owner")).await.unwrap();
    let before = bus.stats();

    let commit = |value: &str| Commit {
        events: vec![record("t", value)],
        ..Commit::default()
    };
    let (by_former, by_owner) = (commit("fenced"), commit("decided"));
    let disk = hold_the_disk(&path);
    let first = append(&bus, record("key", "first"));
    let lost = tokio::spawn(async move { former.commit(by_former).await });
    let written = tokio::spawn(async move { owner.commit(by_owner).await });
    let second = append(&bus, record("key", "second"));
    until_waiting(&bus, 4).await;
    drop(disk);

    first.await.unwrap().unwrap();
    second.await.unwrap().unwrap();
    written.await.unwrap().unwrap();
    let lost = lost.await.unwrap();
    assert!(matches!(lost, Err(Error::Fenced { .. })), "{lost:?}");
    let stats = bus.stats();
    assert_eq!(stats.writes - before.writes, 3);
    assert!(
        stats.flushes.unwrap() - before.flushes.unwrap() <= 2,
        "{stats:?}"
    );
    let values = |records: Vec<Record>| -> Vec<Vec<u8>> {
        records.into_iter().map(|record| record.value).collect()
    };
    let events = values(read(&bus, Stream::Events, 0).await);
    assert_eq!(events, [&b"former"[..], b"owner", b"decided"]);
    assert_eq!(read(&bus, Stream::Reports, 0).await.len(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn more_writers_than_the_queue_holds_wait_their_turn() {
    let Crowd {
        folder: _folder,
        bus,
        disk,
        writers,
    } = Crowd::of(1_000, 256).await;
    assert!(
        bus.stats().waiting <= 2 * 256,
        "the queue has no bound: {:?}",
        bus.stats()
    );
    drop(disk);
    for writer in writers {
        writer.await.unwrap().unwrap();
    }
    assert_eq!(read(&bus, Stream::Reports, 0).await.len(), 1_000);
}

#[tokio::test]
async fn closing_answers_all_that_wait_before_it_and_behind_it() {
    let Crowd {
        folder,
        bus,
        disk,
        writers,
    } = Crowd::of(64, 64).await;
    let (closed, behind, ()) = tokio::join!(
        biased;
        bus.close(),
        bus.append(Stream::Reports, 0, vec![record("key", "behind")]),
        async {
            until_waiting(&bus, 65).await;
            drop(disk);
        },
    );
    closed.unwrap();
    behind.unwrap();
    for writer in writers {
        writer.await.unwrap().unwrap();
    }
    let bus = Bus::open(&folder.path().join("log")).unwrap();
    assert_eq!(read(&bus, Stream::Reports, 0).await.len(), 65);
}
