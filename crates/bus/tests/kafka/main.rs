//! The promises of every bus, on real brokers, and what only a log on Kafka has to show: several
//! processes, owners that slept, brokers that die.
#![cfg(test)]

#[path = "../conformance/backup.rs"]
mod backup;
#[path = "../conformance/compaction.rs"]
mod compaction;
#[path = "../conformance/ownership.rs"]
mod ownership;
#[path = "../conformance/place.rs"]
mod place;
#[path = "../conformance/promises.rs"]
mod promises;
#[path = "../conformance/refusals.rs"]
mod refusals;
#[path = "../conformance/streams.rs"]
mod streams;

mod brokers;
mod child;
mod making;
mod sharing;
mod topics;
mod zombie;

promises::conformance!(on_kafka: crate::topics::Topics);
