//! The contract as a specification: what is written, what is read, and what is refused.
#![cfg(test)]

mod agents;
mod chain;
mod golden;
mod names;
mod reading;
mod refusals;
mod samples;
mod sizes;
