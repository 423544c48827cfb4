//! The agent as its users meet it: the real program, real files, real processes, real HTTP.
#![cfg(test)]
#![expect(clippy::wildcard_enum_match_arm, reason = "a test fails by it")]

mod cli;
mod dialects;
mod disk;
mod fetch;
mod hosts;
mod install;
mod journal;
mod look;
mod network;
mod own;
mod packages;
mod queue;
mod samples;
mod stopping;
mod suites;
mod support;
mod wire;
