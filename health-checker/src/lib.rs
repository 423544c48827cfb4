//! health-checker owns the verdicts on a server's health. Before customers reach it: each `Check`
//! probes it through the maintenance pool of every load balancer, and says `Healthy` only when the
//! server itself answered, in the version that is expected, several times in a row. And after: each
//! `Watch` holds the errors that customers get from it against those of the servers that still run
//! the old version, by what every HAProxy counts, and how long they take to answer.
//!
//! Which record asks for work ([`Desk`]), what a probe's answer is worth ([`judge`]), what a round of
//! them says together ([`sum_up`]), when rounds make a verdict ([`Trial`]) and what counters and timed
//! answers show ([`Window`]) are pure, and the simulator walks exactly these; `probe`, `check`, `haproxy`, `watch`
//! and `worker` do the I/O.
//!
//! It must never know a catalogue, a pool's admin socket, or what is done with its verdict.

mod check;
mod desk;
mod haproxy;
mod judge;
mod probe;
mod reporter;
mod round;
mod time;
mod trial;
mod verdict;
mod watch;
mod worker;

pub use desk::{Act, Desk};
pub use judge::{Judged, Seen, Wanted, http as judge};
pub use probe::ask_once;
pub use round::{Probed, doors, pairs, sum_up};
pub use trial::{Trial, remains_ms};
pub use verdict::Round;
pub use watch::{Line, Reading, Reply, Stands, Turn, Verdict, Window, time_once};
pub use worker::{Settings, run};
