//! The command line of `cargo xtask`.

use crate::demo;
use anyhow::{Context, Result};
use clap::{Parser, Subcommand};

/// Chores and shows of the Poolshift workspace.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Cli {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Show rollouts on real HAProxies under load.
    Demo(demo::Options),
}

/// Does what the command line says.
pub(crate) fn run() -> Result<()> {
    let verb = Cli::parse().verb;
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("cannot start the runtime")?
        .block_on(obey(verb))
}

async fn obey(verb: Verb) -> Result<()> {
    match verb {
        Verb::Demo(options) => demo::run(&options).await,
    }
}
