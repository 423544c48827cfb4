//! The first day with Poolshift, with everything real: what `poolshift doctor` finds, and what
//! `docs/first-day.md` leads to.
#![cfg(test)]

mod doctor;
mod document;
mod faults;
mod first_day;
mod plant;
mod shell;
