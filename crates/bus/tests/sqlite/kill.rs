use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::Stdio;

use poolshift_bus::{Bus, Commit, Stream};

use crate::child;
use crate::records::{read, record};

const WRITERS: u32 = 4;

/// Prints a line for each write only after it was acknowledged.
pub(crate) async fn write_until_killed(path: &Path) {
    let bus = Bus::open(path).unwrap();
    let mut all = tokio::task::JoinSet::new();
    for writer in 0..WRITERS {
        let bus = bus.clone();
        all.spawn(async move {
            for n in 0_u64.. {
                let value = format!("{writer}-{n}");
                let one = vec![record("key", &value)];
                let offset = bus.append(Stream::Reports, writer, one).await.unwrap()[0];
                println!("appended {writer} {offset} {value}");
            }
        });
    }
    let taken = record("partition/0", "taken");
    let mut owner = bus.own(0, 0, taken).await.unwrap();
    all.spawn(async move {
        for n in owner.consumed().unwrap_or(0) + 1.. {
            let value = n.to_string();
            let decision = Commit {
                events: vec![record("target", &value), record("target", &value)],
                commands: vec![record("web1", &value)],
                snapshots: vec![record("target", &value)],
                rejected: Vec::new(),
                reports: Vec::new(),
                consumed: Some(n),
            };
            owner.commit(decision).await.unwrap();
            println!("committed {n}");
        }
    });
    all.join_all().await;
}

/// Kills the writing process after some lines; gives what it said until then.
fn kill_after(lines: usize, path: &Path) -> Vec<String> {
    let mut child = child::command("write", path)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut acknowledged = Vec::new();
    while acknowledged.len() < lines {
        let line = said.next().expect("it ended by itself").unwrap();
        if line.starts_with("appended ") || line.starts_with("committed ") {
            acknowledged.push(line);
        }
    }
    child.kill().unwrap();
    acknowledged.extend(said.map_while(Result::ok));
    let status = child.wait().unwrap();
    assert_eq!(
        status.code(),
        None,
        "it was not killed, but ended with {status}"
    );
    acknowledged
}

#[tokio::test]
async fn what_was_acknowledged_is_there_after_kill_9_and_a_decision_is_whole() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log");
    let mut appended: BTreeMap<(u32, u64), String> = BTreeMap::new();
    let mut committed = 0;
    for life in 1..=4 {
        for line in kill_after(100 * life, &path) {
            let words: Vec<&str> = line.split(' ').collect();
            match words[..] {
                ["appended", writer, offset, value] => {
                    let place = (writer.parse().unwrap(), offset.parse().unwrap());
                    let before = appended.insert(place, value.to_owned());
                    assert_eq!(before, None, "offset given twice: {line}");
                }
                ["committed", n] => committed = n.parse().unwrap(),
                _ => {}
            }
        }
        let bus = Bus::open(&path).unwrap();
        for writer in 0..WRITERS {
            let stands: BTreeMap<u64, Vec<u8>> = read(&bus, Stream::Reports, writer)
                .await
                .into_iter()
                .map(|record| (record.offset, record.value))
                .collect();
            for ((_, offset), value) in appended.range((writer, 0)..(writer + 1, 0)) {
                let found = stands.get(offset).map(Vec::as_slice);
                assert_eq!(
                    found,
                    Some(value.as_bytes()),
                    "{writer}/{offset} was acknowledged"
                );
            }
        }
        assert_whole(&bus, committed).await;
        bus.close().await.unwrap();
    }
    assert!(
        committed > 0 && appended.len() > 100,
        "too little was written to show anything"
    );
}

/// The last decision stands in every stream and in the consumed position, or in none.
async fn assert_whole(bus: &Bus, acknowledged: u64) {
    let consumed = bus.consumed(0).await.unwrap().unwrap_or(0);
    assert!(
        consumed >= acknowledged,
        "{acknowledged} was acknowledged, {consumed} stands"
    );
    let values = |records: Vec<poolshift_bus::Record>| -> Vec<String> {
        records
            .into_iter()
            .map(|record| String::from_utf8(record.value).unwrap())
            .collect()
    };
    let decided: Vec<String> = (1..=consumed)
        .flat_map(|n| [n.to_string(), n.to_string()])
        .collect();
    let mut events = values(read(bus, Stream::Events, 0).await);
    events.retain(|value| value != "taken");
    assert_eq!(events, decided);
    if consumed > 0 {
        let last = [consumed.to_string()];
        assert_eq!(values(read(bus, Stream::Commands, 0).await), last);
        assert_eq!(values(read(bus, Stream::Snapshots, 0).await), last);
    }
}
