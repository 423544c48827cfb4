//! The orchestrator on a real log: what it writes, what it refuses, and what a new one finds.
#![cfg(test)]

mod deciding;
mod expiry;
mod keeping;
mod owning;
mod promoting;
mod still;
mod versions;
mod world;
