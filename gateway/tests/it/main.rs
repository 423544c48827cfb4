//! The gateway over real HTTP, on a real bus. The orchestrator is not there: the tests write the
//! view and the commands in its place, and read the reports.
#![cfg(test)]

mod agents;
mod agents_reports;
mod api;
mod clock;
mod doors;
mod gates;
mod house;
mod machine;
mod problems;
mod starting;
mod webhooks;
