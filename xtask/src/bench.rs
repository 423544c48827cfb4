//! `cargo xtask bench`: what takes how long.

mod rollout;
mod spans;
mod year;

use crate::interrupt::unless_interrupted;
use anyhow::Result;
use clap::Subcommand;

/// What is measured.
#[derive(Debug, Clone, Copy, Subcommand)]
pub(crate) enum What {
    /// Where the time of a rollout goes, batch by batch, on real HAProxies.
    Rollout,
    /// How large a company's year is in one log, and how long a start takes with it.
    Year(year::Options),
}

/// Measures.
pub(crate) async fn run(what: What) -> Result<()> {
    match what {
        What::Rollout => unless_interrupted(rollout::run()).await,
        What::Year(options) => unless_interrupted(year::run(&options)).await,
    }
}
