//! The agent for Windows, under wine: the real program, real files and processes, a real service
//! manager, and the gateway over real HTTP. `cargo xtask test windows` builds all it needs.
#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::wildcard_enum_match_arm,
    reason = "a test fails by panicking"
)]

mod archives;
mod killed;
mod programs;
mod services;
mod world;

/// The same gateway and the same orders as for the agent of this machine.
#[path = "../agent/support/artifact.rs"]
mod artifact;
#[path = "../agent/support/gateway.rs"]
mod gateway;
#[path = "../agent/support/order.rs"]
mod order;
