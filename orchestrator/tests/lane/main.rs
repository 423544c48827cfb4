//! The orchestrator on a real log: what it writes, what it refuses, and what a new one finds.

#[cfg(test)]
mod world;

#[cfg(test)]
mod owning;

#[cfg(test)]
mod deciding;
