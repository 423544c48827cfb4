//! The promises of every bus, on real brokers, and what only a log on Kafka has to show.
#![cfg(test)]

mod allowed;
mod brokers;
mod child;
mod making;
mod sharing;
#[path = "../conformance/suite/mod.rs"]
mod suite;
mod topics;
mod zombie;

suite::promises::conformance!(on_kafka: crate::topics::Topics);
