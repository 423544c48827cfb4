//! The agent of one machine: it asks for commands, fetches, installs and tests, proves what runs,
//! and reports. It only ever speaks outwards.
//!
//! It never runs a command id twice, not even over `kill -9` (S8). It must never know anything of
//! ours but the contract, nor assume an operating system outside [`platform`].

mod backoff;
mod cli;
mod clients;
mod clock;
mod courier;
pub mod decide;
mod disk;
mod engine;
mod gateway;
mod hosts;
mod identity;
mod intake;
pub mod journal;
pub mod ledger;
mod look;
mod mask;
mod memory;
mod output;
pub mod platform;
mod program;
mod releases;
pub mod results;
mod settings;
mod unpack;
mod work;

pub use cli::{main, run};
pub use decide::{Agent, Assigned, Decision, Order, Queued, Refusal, Repeat};
pub use hosts::Hosts;
pub use identity::Renewal;
pub use journal::{Entry, Journal, Stamp};
pub use ledger::Ledger;
pub use mask::{MASK, Masks};
pub use results::verdict;
pub use settings::{Settings, SettingsArgs};
pub use unpack::{Limits, unpack};
pub use work::failed;
