use std::time::Duration;

use poolshift_bus::{Bus, Outgoing, Position, Record, Stream};

/// Longer than anything here takes; a test that waits so long has failed.
pub(crate) const SOON: Duration = Duration::from_secs(20);

/// Where a log lies. Closing the bus and opening it again is a restart.
pub(crate) trait Place {
    fn new() -> Self;
    /// Another log of the same kind.
    fn another(&self) -> Self
    where
        Self: Sized,
    {
        Self::new()
    }
    async fn open(&self) -> Bus;
}

pub(crate) fn record(key: &str, value: &str) -> Outgoing {
    Outgoing {
        key: key.to_owned(),
        headers: Vec::new(),
        value: value.as_bytes().to_vec(),
    }
}

pub(crate) fn records(values: &[&str]) -> Vec<Outgoing> {
    values.iter().map(|value| record("key", value)).collect()
}

pub(crate) fn text(record: &Record) -> String {
    String::from_utf8(record.value.clone()).unwrap()
}

pub(crate) fn texts(records: &[Record]) -> Vec<String> {
    records.iter().map(text).collect()
}

/// All that stands in a partition.
pub(crate) async fn read(bus: &Bus, stream: Stream, partition: u32) -> Vec<Record> {
    let mut follower = bus.follow(stream, &[partition], &Position::Start).unwrap();
    follower.catch_up().await.unwrap()
}
