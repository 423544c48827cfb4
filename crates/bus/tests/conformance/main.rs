//! The promises of every bus, on a file; `tests/kafka` has them on Kafka.
#![cfg(test)]

mod sqlite;
mod suite;

suite::promises::conformance!(on_a_file: crate::sqlite::Sqlite);
