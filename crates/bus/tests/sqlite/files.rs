use std::fs;
use std::path::Path;

use poolshift_bus::{Bus, Error, Stream};
use rusqlite::Connection;

use crate::child;
use crate::records::{read, record};

fn refusal(path: &Path) -> Error {
    Bus::open(path).expect_err("it was opened")
}

fn names(folder: &Path) -> Vec<String> {
    let name = |entry: std::io::Result<fs::DirEntry>| entry.unwrap().file_name();
    let mut names: Vec<String> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| name(entry).into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[tokio::test]
async fn a_second_process_is_refused_and_told_which_file_and_who_has_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log");
    let bus = Bus::open(&path).unwrap();
    let output = child::command("open", &path).output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    let expected = format!(
        "{} is in use by another `poolshift serve` (process {}): stop that one, or name another file",
        path.canonicalize().unwrap().display(),
        std::process::id()
    );
    assert!(said.contains(&expected), "{said}");
    bus.append(Stream::Reports, 0, vec![record("key", "still mine")])
        .await
        .unwrap();
}

#[tokio::test]
async fn a_second_open_is_refused_until_the_first_is_closed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log");
    let bus = Bus::open(&path).unwrap();
    assert!(matches!(refusal(&path), Error::InUse { .. }));
    bus.close().await.unwrap();
    Bus::open(&path).unwrap();
}

#[cfg(unix)]
#[tokio::test]
async fn another_name_of_the_same_file_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log");
    let other = folder.path().join("other-name");
    let _bus = Bus::open(&path).unwrap();
    std::os::unix::fs::symlink(&path, &other).unwrap();
    assert!(matches!(refusal(&other), Error::InUse { .. }));
}

#[tokio::test]
async fn a_closed_log_is_one_file_that_can_be_copied() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log");
    let bus = Bus::open(&path).unwrap();
    bus.append(Stream::Reports, 0, vec![record("key", "kept")])
        .await
        .unwrap();
    read(&bus, Stream::Reports, 0).await;
    bus.close().await.unwrap();
    assert_eq!(names(folder.path()), ["log", "log.lock"]);

    let copy = folder.path().join("copy");
    fs::copy(&path, &copy).unwrap();
    let bus = Bus::open(&copy).unwrap();
    assert_eq!(read(&bus, Stream::Reports, 0).await[0].value, b"kept");
}

#[tokio::test]
async fn dropping_the_last_of_the_bus_lets_go_of_the_file() {
    let soon = std::time::Duration::from_secs(20);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log");
    let bus = Bus::open(&path).unwrap();
    let mut owner = bus.own(0, 0, record("partition/0", "taken")).await.unwrap();
    let mut follower = bus
        .follow(Stream::Reports, &[0], &poolshift_bus::Position::Start)
        .unwrap();
    bus.append(Stream::Reports, 0, vec![record("key", "last")])
        .await
        .unwrap();
    assert!(follower.next(soon).await.unwrap().is_some());

    drop(bus);
    owner
        .commit(poolshift_bus::Commit::default())
        .await
        .unwrap();
    drop(owner);
    let woken = follower.next(soon).await;
    assert!(matches!(woken, Err(Error::Closed)), "{woken:?}");
    let bus = Bus::open(&path).unwrap();
    assert_eq!(read(&bus, Stream::Reports, 0).await.len(), 1);
}

#[test]
fn a_file_of_something_else_is_refused_and_left_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let text = folder.path().join("text");
    fs::write(&text, "this is not a log\n".repeat(500)).unwrap();
    let short = folder.path().join("short");
    fs::write(&short, "short").unwrap();
    let database = folder.path().join("database");
    Connection::open(&database)
        .unwrap()
        .execute_batch("CREATE TABLE theirs (a)")
        .unwrap();
    for path in [text, short, database] {
        let before = fs::read(&path).unwrap();
        let error = refusal(&path);
        assert!(matches!(error, Error::NotOurs { .. }), "{error}");
        assert!(
            error
                .to_string()
                .contains("name another file, or move this one away"),
            "{error}"
        );
        assert_eq!(fs::read(&path).unwrap(), before, "{}", path.display());
    }
}

#[tokio::test]
async fn a_file_of_a_newer_poolshift_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log");
    Bus::open(&path).unwrap().close().await.unwrap();
    Connection::open(&path)
        .unwrap()
        .pragma_update(None, "user_version", 99)
        .unwrap();
    let error = refusal(&path);
    assert!(matches!(error, Error::TooNew { found: 99, .. }), "{error}");
    assert!(
        error.to_string().contains("start a newer Poolshift"),
        "{error}"
    );
}

#[tokio::test]
async fn a_damaged_file_is_told_and_never_answered_from() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log");
    let bus = Bus::open(&path).unwrap();
    for n in 0..200 {
        let one = record("key", &format!("{n} {}", "x".repeat(1_000)));
        bus.append(Stream::Reports, 0, vec![one]).await.unwrap();
    }
    bus.close().await.unwrap();
    let mut bytes = fs::read(&path).unwrap();
    let page = 4_096;
    let middle = bytes.len() / 2 / page * page;
    bytes[middle..middle + page].fill(0x5a);
    fs::write(&path, bytes).unwrap();

    let read = match Bus::open(&path) {
        Ok(bus) => {
            let start = poolshift_bus::Position::Start;
            let mut follower = bus.follow(Stream::Reports, &[0], &start).unwrap();
            follower.catch_up().await.map(|_| ())
        }
        Err(error) => Err(error),
    };
    let error = read.expect_err("it read what is damaged");
    assert!(matches!(error, Error::Damaged { .. }), "{error}");
    assert!(
        error.to_string().contains("put a backup in its place"),
        "{error}"
    );
}

#[test]
fn a_file_that_is_empty_is_a_new_log() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log");
    fs::write(&path, "").unwrap();
    Bus::open(&path).unwrap();
}

#[test]
fn a_missing_folder_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let error = refusal(&folder.path().join("missing/log")).to_string();
    assert!(
        error.contains("missing") && error.contains("make it"),
        "{error}"
    );
    let inner = folder.path().join("inner");
    fs::create_dir(&inner).unwrap();
    let error = refusal(&inner).to_string();
    assert!(error.contains("cannot use"), "{error}");
}
