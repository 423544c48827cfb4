//! The stage on which Poolshift is shown and tested: a small real shop that gets rolled out, real
//! HAProxies before it, and customers who count every answer they did not get.
//!
//! The demo, the crash runs and the whole-system tests all play on it. Nothing but [`world`] knows
//! Poolshift: the rest sees the shop as its customers do.

pub mod apt;
pub mod artifact;
pub mod clock;
pub mod compilers;
pub mod customers;
pub mod fleet;
pub mod former;
pub mod haproxy;
pub mod http;
pub mod kafka;
pub mod ports;
pub mod programs;
pub mod shop;
pub mod stage;
pub mod world;
