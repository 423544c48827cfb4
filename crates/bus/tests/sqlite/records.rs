//! Records as these tests write and read them.

use poolshift_bus::{Bus, Outgoing, Position, Record, Stream};

pub(crate) fn record(key: &str, value: &str) -> Outgoing {
    let value = value.as_bytes().to_vec();
    Outgoing {
        key: key.to_owned(),
        headers: Vec::new(),
        value,
    }
}

pub(crate) async fn read(bus: &Bus, stream: Stream, partition: u32) -> Vec<Record> {
    let start = Position::Start;
    bus.follow(stream, &[partition], &start)
        .unwrap()
        .catch_up()
        .await
        .unwrap()
}
