//! health-checker owns the verdict on a server that is out: each `Check` probes it through the
//! maintenance pool of every load balancer, and says `Healthy` only when the server itself
//! answered, in the version that is expected, several times in a row.
//!
//! Which record asks for work ([`Desk`]), what a probe's answer is worth ([`judge`]), what a round of
//! them says together ([`sum_up`]) and when rounds make a verdict ([`Trial`]) are pure, and the
//! simulator walks exactly these; `probe`, `check` and `worker` do the I/O.
//!
//! It must never know a catalogue, a pool's admin socket, or what is done with its verdict.

mod check;
mod desk;
mod judge;
mod probe;
mod round;
mod time;
mod trial;
mod verdict;
mod worker;

pub use desk::{Act, Desk};
pub use judge::{Judged, Seen, Wanted, http as judge};
pub use round::{Probed, doors, pairs, sum_up};
pub use trial::{Trial, remains_ms};
pub use verdict::Round;
pub use worker::{Settings, run};
