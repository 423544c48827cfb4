//! The agent as its users meet it: the real program, real files, real processes, real HTTP.
#![cfg(test)]
#![expect(clippy::wildcard_enum_match_arm, reason = "a test fails by it")]

mod cli;
mod dialects;
mod disk;
mod fetch;
mod install;
mod journal;
mod network;
mod samples;
mod suites;
mod support;
mod wire;
