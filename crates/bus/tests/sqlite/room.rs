use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

use poolshift_bus::{Bus, Commit, Error, Options, Stream};

use crate::child;
use crate::records::{read, record};
use crate::sharing::{hold_the_disk, until_waiting};

const SIZE_BYTES: usize = 4 << 20;

/// Runs on a file system of [`SIZE_BYTES`] of its own.
pub(crate) async fn fill_the_disk(path: &Path) {
    let folder = path.parent().unwrap();
    let bus = Bus::open(path).unwrap();
    let ballast = folder.join("ballast");
    fs::write(&ballast, vec![1; SIZE_BYTES / 2]).unwrap();
    let mut owner = bus.own(0, 0, record("partition/0", "taken")).await.unwrap();
    let one = || record("key", &"x".repeat(20_000));

    let mut acknowledged = one_too_big_among_small_ones(&bus, path).await;
    let error = loop {
        match bus.append(Stream::Reports, 0, vec![one()]).await {
            Ok(offsets) => acknowledged.extend(offsets),
            Err(error) => break error,
        }
    };
    assert!(matches!(error, Error::Full { .. }), "{error}");
    assert!(error.to_string().contains("free disk space"), "{error}");
    println!("full after {} records: {error}", acknowledged.len());

    // Whoever writes is answered, and whoever reads is served.
    let mut writers = tokio::task::JoinSet::new();
    for _ in 0..64 {
        let (bus, one) = (bus.clone(), one());
        writers.spawn(async move { bus.append(Stream::Reports, 0, vec![one]).await });
    }
    for refused in writers.join_all().await {
        assert!(matches!(refused, Err(Error::Full { .. })), "{refused:?}");
    }
    let commit = |consumed| Commit {
        events: vec![one()],
        consumed,
        ..Commit::default()
    };
    let refused = owner.commit(commit(Some(1))).await;
    assert!(matches!(refused, Err(Error::Full { .. })), "{refused:?}");
    let offsets = |records: Vec<poolshift_bus::Record>| -> Vec<u64> {
        records.iter().map(|record| record.offset).collect()
    };
    assert_eq!(offsets(read(&bus, Stream::Reports, 0).await), acknowledged);

    fs::remove_file(&ballast).unwrap();
    acknowledged.extend(bus.append(Stream::Reports, 0, vec![one()]).await.unwrap());
    owner.commit(commit(Some(1))).await.unwrap();
    bus.close().await.unwrap();
    let bus = Bus::open(path).unwrap();
    assert_eq!(offsets(read(&bus, Stream::Reports, 0).await), acknowledged);
    assert_eq!(read(&bus, Stream::Events, 0).await.len(), 2);
    assert_eq!(bus.consumed(0).await.unwrap(), Some(1));
    println!("went on");
}

/// All in one transaction at first; gives the offsets of the small ones.
async fn one_too_big_among_small_ones(bus: &Bus, path: &Path) -> Vec<u64> {
    let disk = hold_the_disk(path);
    let append = |records| {
        let bus = bus.clone();
        tokio::spawn(async move { bus.append(Stream::Reports, 0, records).await })
    };
    let first = append(vec![record("key", "first")]);
    let big = append(vec![record("key", &"x".repeat(900_000)); 4]);
    let last = append(vec![record("key", "last")]);
    until_waiting(bus, 3).await;
    drop(disk);
    let big = big.await.unwrap();
    assert!(matches!(big, Err(Error::Full { .. })), "{big:?}");
    let mut acknowledged = first.await.unwrap().unwrap();
    acknowledged.extend(last.await.unwrap().unwrap());
    acknowledged.sort_unstable();
    acknowledged
}

/// A shell in a mount namespace of its own, as root or as somebody who may be root in one.
fn unshared(script: &str) -> Command {
    let mut shell = Command::new("unshare");
    shell.args(["--mount", "--map-root-user", "sh", "-c", script]);
    shell
}

#[test]
fn a_full_disk_is_an_error_to_each_writer_and_the_bus_goes_on_when_there_is_room() {
    let folder = tempfile::tempdir().unwrap();
    let may = unshared("mount -t tmpfs none \"$0\"")
        .arg(folder.path())
        .status();
    if !may.is_ok_and(|status| status.success()) {
        eprintln!("not tried: a small disk needs `unshare --mount --map-root-user` to work here");
        return;
    }
    let script = format!(
        "mount -t tmpfs -o size={SIZE_BYTES} none '{}' && exec \"$@\"",
        folder.path().display()
    );
    let path = folder.path().join("log");
    let output = child::command_after(unshared(&script), "fill", &path)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    let failed = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success() && said.contains("went on"),
        "{said}{failed}"
    );
    assert!(!path.exists(), "it wrote to the real disk");
}

#[tokio::test]
async fn at_its_size_limit_the_log_refuses_reports_but_not_its_owners() {
    let folder = tempfile::tempdir().unwrap();
    let options = Options {
        max_bytes: Some(1 << 20),
    };
    let bus = Bus::open_with(&folder.path().join("log"), &options).unwrap();
    let mut owner = bus.own(0, 0, record("partition/0", "taken")).await.unwrap();
    let one = || record("key", &"x".repeat(50_000));
    let mut last = 0;
    let error = loop {
        match bus.append(Stream::Reports, 0, vec![one()]).await {
            Ok(offsets) => last = offsets[0],
            Err(error) => break error,
        }
    };
    assert!(matches!(error, Error::Full { .. }), "{error}");
    assert!(
        (15..25).contains(&last),
        "{last} records of 50,000 bytes were taken"
    );

    let consumed = Some(last);
    owner
        .commit(Commit {
            events: vec![one()],
            consumed,
            ..Commit::default()
        })
        .await
        .unwrap();
    assert_eq!(
        bus.expire(Stream::Reports, u64::MAX).await.unwrap(),
        last - 1
    );
    bus.append(Stream::Reports, 0, vec![one()]).await.unwrap();
}

#[tokio::test]
async fn reports_expire_by_age_when_they_are_consumed() {
    let now_ms = || {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        u64::try_from(since.as_millis()).unwrap()
    };
    let folder = tempfile::tempdir().unwrap();
    let bus = Bus::open(&folder.path().join("log")).unwrap();
    let before = now_ms();
    let many: Vec<_> = (0..2_500).map(|n| record("key", &n.to_string())).collect();
    let offsets = bus.append(Stream::Reports, 0, many).await.unwrap();
    bus.append(
        Stream::Reports,
        1,
        vec![record("key", "of another partition")],
    )
    .await
    .unwrap();
    let after = now_ms() + 1;

    assert_eq!(
        bus.expire(Stream::Reports, after).await.unwrap(),
        0,
        "nobody consumed them"
    );
    let mut owner = bus.own(0, 0, record("partition/0", "taken")).await.unwrap();
    owner
        .commit(Commit {
            consumed: Some(offsets[2_399]),
            ..Commit::default()
        })
        .await
        .unwrap();
    assert_eq!(
        bus.expire(Stream::Reports, before).await.unwrap(),
        0,
        "they are too young"
    );
    assert_eq!(bus.expire(Stream::Reports, after).await.unwrap(), 2_400);
    assert_eq!(
        read(&bus, Stream::Reports, 0).await[0].offset,
        offsets[2_400]
    );

    owner
        .commit(Commit {
            consumed: Some(offsets[2_499]),
            ..Commit::default()
        })
        .await
        .unwrap();
    assert_eq!(
        bus.expire(Stream::Reports, after).await.unwrap(),
        99,
        "the last one is kept"
    );
    assert_eq!(
        bus.end(Stream::Reports, 0).await.unwrap(),
        Some(offsets[2_499])
    );
    assert_eq!(read(&bus, Stream::Reports, 1).await.len(), 1);
}

#[tokio::test]
async fn rejected_records_expire_by_age_alone() {
    let folder = tempfile::tempdir().unwrap();
    let bus = Bus::open(&folder.path().join("log")).unwrap();
    let many = vec![record("key", "a"), record("key", "b"), record("key", "c")];
    bus.append(Stream::Rejected, 0, many).await.unwrap();
    assert_eq!(bus.expire(Stream::Rejected, u64::MAX).await.unwrap(), 2);
    assert_eq!(read(&bus, Stream::Rejected, 0).await[0].value, b"c");
}
