//! Records as Kafka's messages, and back.

use rdkafka::message::{Header, Headers as _, Message, OwnedHeaders};
use rdkafka::producer::FutureRecord;

use crate::{Outgoing, Record, Stream};

/// What is sent for a record.
#[derive(Debug)]
pub(super) struct Sending {
    topic: String,
    partition: i32,
    record: Outgoing,
}

impl Sending {
    pub(super) fn new(topic: String, partition: u32, record: Outgoing) -> Self {
        Self {
            topic,
            partition: id(partition),
            record,
        }
    }

    pub(super) fn message(&self) -> FutureRecord<'_, str, [u8]> {
        let mut message = FutureRecord::to(&self.topic)
            .partition(self.partition)
            .key(self.record.key.as_str())
            // An empty value is a value: only a missing one would be a tombstone.
            .payload(self.record.value.as_slice());
        if !self.record.headers.is_empty() {
            let headers = OwnedHeaders::new_with_capacity(self.record.headers.len());
            let headers = self
                .record
                .headers
                .iter()
                .fold(headers, |headers, (key, value)| {
                    headers.insert(Header {
                        key,
                        value: Some(value.as_str()),
                    })
                });
            message = message.headers(headers);
        }
        message
    }
}

/// A partition as Kafka counts them.
pub(super) fn id(partition: u32) -> i32 {
    i32::try_from(partition).unwrap_or(i32::MAX)
}

/// An offset as Kafka gave it; logical ones are negative.
pub(super) fn offset(given: i64) -> u64 {
    u64::try_from(given).unwrap_or_default()
}

/// An offset as Kafka takes it; one beyond its numbers is beyond every record.
pub(super) fn wanted(offset: u64) -> i64 {
    i64::try_from(offset).unwrap_or(i64::MAX)
}

/// What a message holds. Text that is no UTF-8 cannot be ours.
pub(super) fn record(stream: Stream, message: &impl Message) -> Record {
    let headers = message.headers().map_or_else(Vec::new, |headers| {
        let text = |bytes: Option<&[u8]>| String::from_utf8_lossy(bytes.unwrap_or_default()).into();
        headers
            .iter()
            .map(|header| (header.key.to_owned(), text(header.value)))
            .collect()
    });
    Record {
        stream,
        partition: u32::try_from(message.partition()).unwrap_or_default(),
        offset: offset(message.offset()),
        key: String::from_utf8_lossy(message.key().unwrap_or_default()).into(),
        headers,
        value: message.payload().unwrap_or_default().to_vec(),
    }
}
