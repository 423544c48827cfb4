//! The only HTTP door. It proves who speaks, checks what is said, appends it to the reports, and
//! answers only when that is durable. What is so it reads from the view.
//!
//! Two listeners: the public one takes build servers' webhooks and agents; the local one is the
//! API, and listens on loopback only, since it asks nobody who they are. Both have `/healthz`,
//! `/readyz` and `/metrics`.
//!
//! It must never decide anything about a rollout, know the catalogue's rules, or keep anything
//! that may not be forgotten.

mod accept;
mod agents;
mod api;
mod app;
mod body;
mod door;
mod health;
mod local;
mod metrics;
mod people;
mod places;
mod polling;
mod problem;
mod refusals;
mod server;
mod settings;
mod time;
mod webhook;

pub use server::{Gateway, run};
pub use settings::Settings;
pub use time::Clock;
pub use webhook::{Known, stored};
