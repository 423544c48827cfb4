//! The command line of `cargo xtask`.

use crate::{bench, check, crash, demo, test, walk, windows};
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
    /// Check everything that needs no run: format, lints, docs, licences, borders.
    Check,
    /// Run every test, in parts that are held to their budgets; or one part alone.
    Test {
        /// The part.
        #[command(subcommand)]
        alone: Option<Alone>,
    },
    /// Build the agent for Windows.
    Windows(windows::Options),
    /// Show rollouts on real HAProxies under load.
    Demo(demo::Options),
    /// Kill processes and HAProxies in the middle of rollouts; each must come to its end.
    Crash(crash::Options),
    /// Walk the whole fleet at random in virtual time, with faults; what must hold must hold.
    Walk(walk::Options),
    /// Measure.
    #[command(subcommand)]
    Bench(bench::What),
}

#[derive(Debug, Subcommand)]
enum Alone {
    /// The agent for Windows, under wine.
    Windows,
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
        Verb::Check => check::run().await,
        Verb::Test { alone: None } => test::run().await,
        Verb::Test {
            alone: Some(Alone::Windows),
        } => windows::test().await,
        Verb::Windows(options) => windows::run(&options).await,
        Verb::Demo(options) => demo::run(&options).await,
        Verb::Crash(options) => crash::run(&options).await,
        Verb::Walk(options) => walk::run(&options),
        Verb::Bench(what) => bench::run(what).await,
    }
}
