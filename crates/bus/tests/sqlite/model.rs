use std::collections::BTreeMap;

use poolshift_bus::{Bus, Commit, Error, Owner, Record, Stream};
use proptest::prelude::*;

use crate::records::{read, record};

const PARTITIONS: u32 = 2;

#[derive(Clone, Debug)]
enum Step {
    Append {
        partition: u32,
        records: u8,
    },
    Take {
        partition: u32,
    },
    /// By the latest owner of the partition, or by the one before it.
    Commit {
        partition: u32,
        events: u8,
        keys: Vec<u8>,
        consume: bool,
        stale: bool,
    },
    Restart,
}

fn step() -> impl Strategy<Value = Step> {
    let partition = 0..PARTITIONS;
    prop_oneof![
        3 => (partition.clone(), 0..4_u8)
            .prop_map(|(partition, records)| Step::Append { partition, records }),
        1 => partition.clone().prop_map(|partition| Step::Take { partition }),
        5 => (partition, 0..4_u8, prop::collection::vec(0..3_u8, 0..4), any::<bool>(), any::<bool>())
            .prop_map(|(partition, events, keys, consume, stale)| {
                Step::Commit { partition, events, keys, consume, stale }
            }),
        1 => Just(Step::Restart),
    ]
}

/// What should stand in one partition.
#[derive(Default)]
struct Model {
    reports: Vec<String>,
    events: Vec<String>,
    commands: Vec<(String, String)>,
    consumed: Option<u64>,
    owners: Vec<Owner>,
}

struct Log {
    bus: Bus,
    partitions: BTreeMap<u32, Model>,
    written: u64,
}

impl Log {
    fn value(&mut self) -> String {
        self.written += 1;
        self.written.to_string()
    }

    async fn run(&mut self, step: Step, path: &std::path::Path) {
        match step {
            Step::Append { partition, records } => {
                let values: Vec<String> = (0..records).map(|_| self.value()).collect();
                let outgoing = values.iter().map(|value| record("key", value)).collect();
                self.bus
                    .append(Stream::Reports, partition, outgoing)
                    .await
                    .unwrap();
                self.model(partition).reports.extend(values);
            }
            Step::Take { partition } => {
                let value = self.value();
                let owner = self
                    .bus
                    .own(partition, 0, record("partition", &value))
                    .await
                    .unwrap();
                let model = self.model(partition);
                assert!(
                    model
                        .owners
                        .iter()
                        .all(|former| former.epoch() < owner.epoch())
                );
                assert_eq!(owner.consumed(), model.consumed);
                model.owners.push(owner);
                model.events.push(value);
            }
            Step::Commit {
                partition,
                events,
                keys,
                consume,
                stale,
            } => {
                let events: Vec<String> = (0..events).map(|_| self.value()).collect();
                let commands: Vec<(String, String)> = keys
                    .into_iter()
                    .map(|key| (key.to_string(), self.value()))
                    .collect();
                self.model(partition)
                    .commit(events, commands, consume, stale)
                    .await;
            }
            Step::Restart => {
                for model in self.partitions.values_mut() {
                    model.owners.clear();
                }
                self.bus.close().await.unwrap();
                self.bus = Bus::open(path).unwrap();
            }
        }
    }

    fn model(&mut self, partition: u32) -> &mut Model {
        self.partitions.entry(partition).or_default()
    }

    async fn assert_stands(&self) {
        let values = |records: Vec<Record>| -> Vec<String> {
            records
                .into_iter()
                .map(|record| String::from_utf8(record.value).unwrap())
                .collect()
        };
        for (partition, model) in &self.partitions {
            let bus = &self.bus;
            assert_eq!(
                values(read(bus, Stream::Reports, *partition).await),
                model.reports
            );
            assert_eq!(
                values(read(bus, Stream::Events, *partition).await),
                model.events
            );
            let commands: Vec<(String, String)> = read(bus, Stream::Commands, *partition)
                .await
                .into_iter()
                .map(|record| (record.key, String::from_utf8(record.value).unwrap()))
                .collect();
            assert_eq!(commands, model.commands);
            assert_eq!(bus.consumed(*partition).await.unwrap(), model.consumed);
        }
    }
}

impl Model {
    async fn commit(
        &mut self,
        events: Vec<String>,
        commands: Vec<(String, String)>,
        consume: bool,
        stale: bool,
    ) {
        let back = if stale { 2 } else { 1 };
        let Some(index) = self.owners.len().checked_sub(back) else {
            return;
        };
        let consumed = consume.then(|| self.consumed.unwrap_or(0) + 1);
        let commit = Commit {
            events: events.iter().map(|value| record("target", value)).collect(),
            commands: commands
                .iter()
                .map(|(key, value)| record(key, value))
                .collect(),
            consumed,
            ..Commit::default()
        };
        let done = self.owners[index].commit(commit).await;
        if stale {
            assert!(matches!(done, Err(Error::Fenced { .. })), "{done:?}");
            return;
        }
        done.unwrap();
        self.events.extend(events);
        for (key, value) in commands {
            self.commands.retain(|(other, _)| *other != key);
            self.commands.push((key, value));
        }
        self.consumed = consumed.or(self.consumed);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn after_any_steps_exactly_what_was_acknowledged_stands(
        steps in prop::collection::vec(step(), 1..60)
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(async {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("log");
            let bus = Bus::open(&path).unwrap();
            let mut log = Log { bus, partitions: BTreeMap::new(), written: 0 };
            for step in steps {
                log.run(step, &path).await;
            }
            log.assert_stands().await;
        });
    }
}
