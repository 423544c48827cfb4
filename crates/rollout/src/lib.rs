//! The brain: what should happen next, decided from the events so far and nothing else.
//!
//! A target's [`State`] is the fold ([`apply`]) of its events. Everything that may change it
//! comes in as an [`Input`]: a report, a take-over, or the passing of time. [`decide`] answers
//! with events and changes nothing; [`wake_at`] says when it wants to be asked again; [`waiting`]
//! says, for people, what a target waits for; [`records`] says what each server's worker must
//! make true now. [`settle`] runs them to their fixpoint.
//!
//! Time is an argument. There is no clock, no I/O, no `async`, no randomness and no hash order
//! here, so the same inputs give the same events, bit for bit, in production, in a replay and in
//! a simulation.

mod apply;
mod brain;
mod busy;
mod calendar;
pub mod catalogue;
mod decide;
mod gate;
mod issue;
mod machine;
mod plan;
mod records;
mod rules;
mod safety;
mod settle;
mod state;
mod step;
mod tell;
mod waiting;

pub use apply::{Stamp, apply};
pub use brain::{BRAIN, BRAIN_OLDEST, unknown_brain};
pub use busy::{BUSY_MAX_MS, Behind};
pub use decide::{Heard, Input, Reply, decide};
pub use issue::{direct_check, response_time};
pub use machine::{Machine, apply_machine, decide_machine};
pub use plan::{PlanError, plan};
pub use records::{record, records};
pub use rules::{Rule, Rules};
pub use settle::{Settled, settle};
pub use state::{
    After, Aside, Freeze, Gated, Halt, Known, Member, Newest, Outstanding, Phase, Promoted,
    Request, Rollout, Server, Stage, State, Successor, Vote,
};
pub use step::{Course, Step, Way};
pub use tell::{Told, tell};
pub use waiting::{Waiting, gate_waiting, queue_waiting, waiting, wake_at};

/// Version of the fold: raised whenever the same events make another [`State`], or a state is
/// written in another way. A state that was kept by another fold is thrown away.
pub const FOLD: u16 = 2;
