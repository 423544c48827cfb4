//! The version before this one, as far as it can be met on the wire: what it said is read, and an
//! agent of it works beside today's `serve`.
#![cfg(test)]

mod agent;
mod beside;
mod wire;
