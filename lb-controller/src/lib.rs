//! lb-controller: it alone owns the pools of one HAProxy, from beside it.
//!
//! A command says what must be true on a server; [`Controller::look`] compares that with what HAProxy,
//! its state file and our own marks say now, and answers with what to do and what to report. It has
//! no I/O and no clock, so the simulator walks exactly this function. [`run`] is the shell around it:
//! look, act, look again.
//!
//! What always holds:
//! - A drain never leaves fewer than its floor UP on this HAProxy; when others fall at the same
//!   moment it is undone before it is reported.
//! - A server is put online for an outstanding `Restore` before its deadline, and to undo a drain
//!   that was not reported yet; for nothing else.
//! - `Drained`, `Held` and `Restored` are reported only when HAProxy was read back, its state file
//!   holds the change, and the mark beside it does too.

mod config;
mod controller;
mod haproxy;
mod mark;
mod observed;
mod settings;
mod shell;
mod socket;
mod step;

pub use config::{ANSWERED_BY_HEADER, HaproxyPools, SERVER_HEADER, haproxy_config};
pub use controller::Controller;
pub use haproxy::check_version;
pub use mark::{Baseline, Known, Mark, Marks};
pub use observed::{Admin, Observed, Process, Row, Saved};
pub use settings::Settings;
pub use shell::run;
pub use socket::AdminSocket;
pub use step::{Action, Now, Reply, Seen, Step};
