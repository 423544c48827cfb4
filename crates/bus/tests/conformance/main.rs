//! What every bus promises, whatever it stands on: here on a file, in `tests/kafka` on Kafka. An
//! implementation comes under it with a [`Place`](place::Place) of its own and one line of
//! `conformance!`.
#![cfg(test)]

mod backup;
mod compaction;
mod ownership;
mod place;
mod promises;
mod refusals;
mod sqlite;
mod streams;

promises::conformance!(on_a_file: crate::sqlite::Sqlite);
