//! `cargo xtask bench`: what takes how long.

mod rollout;
mod spans;

use crate::interrupt::unless_interrupted;
use anyhow::Result;
use clap::Subcommand;

/// What is measured.
#[derive(Debug, Clone, Copy, Subcommand)]
pub(crate) enum What {
    /// Where the time of a rollout goes, batch by batch, on real HAProxies.
    Rollout,
}

/// Measures.
pub(crate) async fn run(what: What) -> Result<()> {
    match what {
        What::Rollout => unless_interrupted(rollout::run()).await,
    }
}
