//! The agent for Windows, under wine: the real program, real files and processes, a real service
//! manager, and the gateway over real HTTP. `cargo xtask test windows` builds all it needs.
#![cfg(test)]
#![expect(clippy::wildcard_enum_match_arm, reason = "a test fails by it")]

mod archives;
mod killed;
mod programs;
mod services;
mod support;
mod world;
