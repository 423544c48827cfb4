//! The read view: what API, console and command line show. It may be forgotten at any moment and
//! is rebuilt from the log; nothing is ever decided by it.
//!
//! The orchestrator writes the documents, one for each [target](TargetView),
//! [rollout](RolloutView) and [machine](MachineView), and says when they are
//! [complete](View::set_complete) after a start. The gateway reads them, waits for their change,
//! and keeps here what else may be forgotten: which requests it has accepted, which agents were
//! seen, keys against replays, and rate limits.
//!
//! This crate must never know how a rollout is decided, or any process.

mod keys;
mod limits;
mod machine;
mod presence;
mod rollout;
mod shelf;
mod target;
mod view;

pub use keys::Claimed;
pub use limits::{Limit, Taken};
pub use machine::MachineView;
pub use rollout::{GateView, RolloutStatus, RolloutView, ServerProgress};
pub use shelf::{Etag, Kept};
pub use target::{
    AsOf, FreezeView, JenkinsView, OutReason, Outstanding, PoolView, ServerOut, ServerView,
    TargetView, WaitView,
};
pub use view::View;
