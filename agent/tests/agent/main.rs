//! The agent as its users meet it: the real program, real files, real processes, real HTTP.
#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::wildcard_enum_match_arm,
    reason = "a test fails by panicking"
)]

mod archives;
mod cli;
mod crash;
mod disk;
mod fetch;
mod install;
mod journal;
mod network;
mod samples;
mod suites;
mod support;
mod wire;
