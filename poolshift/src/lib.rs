//! What people type: `poolshift serve` runs all of Poolshift in one process, every other verb
//! speaks to one that runs, or works on files.
//!
//! It must never decide anything: a verb says what a person wants, and shows what came of it.

mod api;
mod backups;
mod catalogue;
mod cli;
mod client;
mod dispatch;
mod doctor;
mod exit;
mod failure;
mod haproxy;
mod import;
mod older;
pub mod replay;
mod said;
mod serve;
mod stored;
mod table;
mod verbs;

pub use dispatch::main;
