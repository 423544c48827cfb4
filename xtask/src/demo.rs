//! `cargo xtask demo`: Poolshift on the real thing, before customers who count.

mod control;
mod stage;

use anyhow::{Result, bail};
use clap::Args;
use std::time::Duration;
use tokio::signal;

/// What the demo is to show.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Run only the control: restarts without Poolshift and without a drain.
    #[arg(long)]
    control_only: bool,
    /// Run only the load, for so many seconds and without any restart: it must lose nothing.
    #[arg(long, value_name = "SECONDS", conflicts_with = "control_only")]
    load_only: Option<u64>,
}

/// Runs the demo; its last line on stdout is one JSON object.
pub(crate) async fn run(options: &Options) -> Result<()> {
    // Leaving by the front door ends all processes of the stage; the signal alone would not.
    tokio::select! {
        shown = show(options) => shown,
        _ = signal::ctrl_c() => bail!("interrupted: all processes of the demo were ended"),
    }
}

async fn show(options: &Options) -> Result<()> {
    let outcome = match options.load_only {
        Some(seconds) => control::run_undisturbed(Duration::from_secs(seconds)).await?,
        None => control::run().await?,
    };
    outcome.explain();
    println!("{}", serde_json::to_string(&outcome)?);
    Ok(())
}
