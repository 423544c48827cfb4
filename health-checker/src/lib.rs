//! health-checker owns the verdict on a server that is out: each `Check` probes it through the
//! maintenance pool of every load balancer, and says `Healthy` only when the server itself
//! answered, in the version that is expected, several times in a row.
//!
//! What a probe's answer is worth (`judge`), when rounds make a verdict (`verdict`) and which
//! record asks for work (`desk`) are pure; `probe`, `check` and `worker` do the I/O.
//!
//! It must never know a catalogue, a pool's admin socket, or what is done with its verdict.

mod check;
mod desk;
mod judge;
mod probe;
mod time;
mod verdict;
mod worker;

pub use worker::{Settings, run};
