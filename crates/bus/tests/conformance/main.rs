//! What every bus promises, whatever it stands on. An implementation comes under it with a
//! [`Place`] of its own and one line of `conformance!` in `promises.rs`.
#![cfg(test)]

mod backup;
mod compaction;
mod ownership;
mod place;
mod promises;
mod refusals;
mod streams;
