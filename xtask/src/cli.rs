//! The command line of `cargo xtask`.

use crate::{bench, check, crash, demo, test, walk};
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
    /// Run every test, in parts that are held to their budgets.
    Test,
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
        Verb::Test => test::run().await,
        Verb::Demo(options) => demo::run(&options).await,
        Verb::Crash(options) => crash::run(&options).await,
        Verb::Walk(options) => walk::run(&options),
        Verb::Bench(what) => bench::run(what).await,
    }
}
