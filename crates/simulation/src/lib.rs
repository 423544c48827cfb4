//! A whole fleet in virtual time: the real brain and the real pure function of the lb-controller
//! against simulated streams, HAProxies, servers, machines and people, with faults, from a seed.
//! After each step the invariants S1 to S9 and L1 are checked against what really is.
//!
//! It has no clock, no I/O and no thread: a seed replays exactly.

mod agent;
mod answers;
mod break_rule;
mod breakage;
mod calm;
mod checker;
mod controller;
mod dice;
mod faults;
mod fleet;
mod gates;
mod invariant;
mod log;
mod machine;
mod monitor;
mod owner;
mod person;
mod program;
mod scenario;
mod tally;
mod walk;
mod watcher;
mod world;

pub use break_rule::{Break, UnknownRule, WorldRule};
pub use breakage::{Breakage, break_each, notices};
pub use invariant::{Invariant, Violation};
pub use tally::{Tally, walks};
pub use walk::{Walked, keep_states, trace, walk};
