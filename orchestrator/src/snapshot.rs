//! States of a partition as of one place in its log, so that a start folds what came after it and
//! not a company's whole past.
//!
//! Nothing rests on them. A set that is missing, damaged, written by another fold, or about another
//! log is thrown away whole, and the events are folded from the first.

mod packed;

use std::collections::BTreeMap;

use anyhow::Context as _;
use bus::{Bus, Commit, Outgoing, Record, Stream};
use events::{Digest, Link, Subject, link};
use rollout::FOLD;
use serde::{Deserialize, Serialize};

use crate::subject::{Head, MachineSlot, Subjects, TargetSlot};

/// The key of the record that says what the others are of. No subject has such a name.
const MARK: &str = "@fold";

/// Of what the kept states are.
#[derive(Debug, Serialize, Deserialize)]
struct Mark {
    /// Who wrote them; another one throws them away.
    fold: String,
    /// They know the events up to this offset.
    through: u64,
    /// Digest of the record at that offset: the same log.
    sha256: Digest,
    /// What lies behind this offset must be folded: `through`, or less where a subject stands
    /// still and what it stands before must be read again.
    after: Option<u64>,
    /// All subjects, each with the number of its last event.
    subjects: BTreeMap<String, u64>,
}

/// What a fold begins with: the kept states and the offset behind which it goes on; nothing and
/// the first record where there are none that can be used.
pub(crate) async fn load(bus: &Bus, partition: u32) -> anyhow::Result<(Subjects, Option<u64>)> {
    let records = bus
        .latest(Stream::Snapshots, partition)
        .await
        .with_context(|| format!("cannot read the kept states of partition {partition}"))?;
    let Some(mark) = records.iter().find(|record| record.key == MARK) else {
        return Ok((Subjects::default(), None));
    };
    match unpack(bus, partition, mark, &records).await? {
        Ok(found) => Ok(found),
        Err(why) => {
            tracing::warn!(partition, why, "folds from the first event");
            Ok((Subjects::default(), None))
        }
    }
}

async fn unpack(
    bus: &Bus,
    partition: u32,
    mark: &Record,
    records: &[Record],
) -> anyhow::Result<Result<(Subjects, Option<u64>), String>> {
    let mark: Mark = match serde_json::from_slice(&mark.value) {
        Ok(mark) => mark,
        Err(error) => return Ok(Err(format!("what is kept cannot be read: {error}"))),
    };
    if mark.fold != fold() {
        return Ok(Err(format!(
            "the kept states are of fold {}, this is {}",
            mark.fold,
            fold()
        )));
    }
    if digest_at(bus, partition, mark.through).await? != Some(mark.sha256) {
        return Ok(Err("the kept states are of another log".to_owned()));
    }
    Ok(subjects(&mark, records).map(|subjects| (subjects, mark.after)))
}

fn subjects(mark: &Mark, records: &[Record]) -> Result<Subjects, String> {
    let mut subjects = Subjects::after(mark.through);
    for (key, n) in &mark.subjects {
        let json = packed::unpacked(key, records)?;
        let head = subjects
            .put(key, &json)
            .map_err(|why| format!("the kept state of {key} cannot be read: {why}"))?;
        let found = head.map_or(0, |(n, _)| n);
        if found != *n {
            return Err(format!(
                "{key} was kept as of event {found}, and {n} is wanted"
            ));
        }
    }
    Ok(subjects)
}

impl Subjects {
    /// Puts a kept subject in, and gives the end of its chain.
    fn put(&mut self, key: &str, json: &[u8]) -> Result<Head, String> {
        let unread = |error: serde_json::Error| error.to_string();
        match key.parse().map_err(|_| "nothing has such a name")? {
            Subject::Target(target) => {
                let slot: TargetSlot = serde_json::from_slice(json).map_err(unread)?;
                let head = slot.head;
                self.targets.insert(target, slot);
                Ok(head)
            }
            Subject::Machine(machine) => {
                let slot: MachineSlot = serde_json::from_slice(json).map_err(unread)?;
                let head = slot.head;
                self.machines.insert(machine, slot);
                Ok(head)
            }
            Subject::Partition(_) => Err("partitions are not kept".to_owned()),
        }
    }
}

/// The records that keep what has changed since the states were last kept.
pub(crate) async fn commit(
    bus: &Bus,
    partition: u32,
    subjects: &Subjects,
) -> anyhow::Result<Option<Commit>> {
    let through = subjects.through();
    let Some(sha256) = digest_at(bus, partition, through).await? else {
        return Ok(None);
    };
    let mark = Mark {
        fold: fold(),
        through,
        sha256,
        after: subjects.fold_after(),
        subjects: subjects.numbers(),
    };
    let mut snapshots = Vec::new();
    let targets = subjects.targets_to_keep();
    for (target, slot) in targets.filter(|(_, slot)| slot.changed) {
        packed::pack(&target.to_string(), &json(slot)?, &mut snapshots)?;
    }
    let machines = subjects.machines.iter();
    for (machine, slot) in machines.filter(|(_, slot)| slot.changed) {
        let key = Subject::Machine(machine.clone()).to_string();
        packed::pack(&key, &json(slot)?, &mut snapshots)?;
    }
    snapshots.push(Outgoing {
        key: MARK.to_owned(),
        headers: vec![("content-type".to_owned(), "application/json".to_owned())],
        value: json(&mark)?,
    });
    Ok(Some(Commit {
        snapshots,
        ..Commit::default()
    }))
}

fn json(value: &impl Serialize) -> anyhow::Result<Vec<u8>> {
    serde_json::to_vec(value).context("a state cannot be written as JSON")
}

/// Who may read what this one keeps: the same version with the same fold.
fn fold() -> String {
    format!("{}/{FOLD}", env!("CARGO_PKG_VERSION"))
}

async fn digest_at(bus: &Bus, partition: u32, offset: u64) -> anyhow::Result<Option<Digest>> {
    let found = bus
        .read(Stream::Events, partition, vec![offset])
        .await
        .with_context(|| format!("cannot read event {offset} of partition {partition}"))?;
    Ok(found.first().map(|record| {
        link(Link {
            headers: &record.headers,
            value: &record.value,
        })
    }))
}
