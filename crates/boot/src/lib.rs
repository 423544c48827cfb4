//! Starts any process of ours (but the agent, which depends on nothing of ours but the contract)
//! the same way: [`run`].
//!
//! It must never know what a process does, or any other crate of ours.

mod logs;
mod run;
mod settings;

pub use run::{BAD_SETTINGS, FAILED, run};
pub use settings::{Error, settings};
