//! `cargo xtask demo`: Poolshift on the real thing, before customers who count.

mod control;
mod live;
mod outcome;
mod show;

use crate::interrupt::unless_interrupted;
use anyhow::{Context, Result};
use clap::Args;
use std::path::Path;
use std::time::Duration;
use tests::programs::Programs;

use outcome::Outcome;

/// What the demo is to show.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// End with one line of JSON on stdout; all else goes to stderr.
    #[arg(long)]
    json: bool,
    /// Leave everything running after the end, until Ctrl-C, and say how to use it.
    #[arg(long)]
    keep: bool,
    /// Run only the control: restarts without Poolshift and without a drain.
    #[arg(long)]
    control_only: bool,
    /// Run only the load, for so many seconds and without any restart: it must lose nothing.
    #[arg(long, value_name = "SECONDS", conflicts_with = "control_only")]
    load_only: Option<u64>,
}

/// Runs the demo.
pub(crate) async fn run(options: &Options) -> Result<()> {
    unless_interrupted(show(options)).await
}

async fn show(options: &Options) -> Result<()> {
    eprintln!("building the shop, poolshift and its agent");
    let programs = Programs::build().await?;
    if options.control_only || options.load_only.is_some() {
        return measure(options, &programs).await;
    }
    let root = tempfile::tempdir().context("no folder for the demo")?;
    let (world, outcome) = show::run(&programs, root.path()).await?;
    // What stands still during the control costs next to nothing; but it need not stand at all.
    let world = options.keep.then_some(world);
    eprintln!("\nthe control: the same servers, batches and load, without Poolshift");
    let control = control::run(&programs.shop).await?;
    control.explain();
    let outcome = outcome.with_control(control.failed);
    end(options, &outcome)?;
    if let Some(world) = world {
        eprintln!("{}", show::usage(&world, &programs)?);
        std::future::pending::<()>().await;
    }
    outcome.judge()
}

fn end(options: &Options, outcome: &Outcome) -> Result<()> {
    if options.json {
        eprintln!("\n{outcome}");
        println!("{}", serde_json::to_string(outcome)?);
    } else {
        println!("\n{outcome}");
    }
    Ok(())
}

/// The measure alone, without Poolshift; its last line on stdout is one JSON object.
async fn measure(options: &Options, programs: &Programs) -> Result<()> {
    let shop: &Path = &programs.shop;
    let seen = match options.load_only {
        Some(seconds) => control::run_undisturbed(shop, Duration::from_secs(seconds)).await?,
        None => control::run(shop).await?,
    };
    seen.explain();
    println!("{}", serde_json::to_string(&seen)?);
    Ok(())
}
