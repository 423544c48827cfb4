//! The command line of the shop.

use crate::{serve, suite};
use anyhow::{Context, Result};
use clap::{Parser, Subcommand};
use poolshift_tests::shop::{Home, restart, stop};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

/// A small real HTTP service that gets rolled out.
#[derive(Debug, Parser)]
#[command(name = "shop")]
struct Cli {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Serve customers with the current release until SIGTERM.
    Serve {
        /// Folder with shop.toml and current/release.toml.
        #[arg(long, env = "SHOP_HOME")]
        home: PathBuf,
        /// Leave the caller's session, so that nothing that ends the caller ends this.
        #[arg(long)]
        detach: bool,
    },
    /// Stop what runs in this home and start its current release: the demo's service manager.
    Restart {
        /// Folder with shop.toml and current/release.toml.
        #[arg(long, env = "SHOP_HOME")]
        home: PathBuf,
        /// How long the old process may take to end, and the new one to listen.
        #[arg(long, default_value_t = 5000)]
        deadline_ms: u64,
    },
    /// Stop what runs in this home.
    Stop {
        /// Folder with shop.toml and current/release.toml.
        #[arg(long, env = "SHOP_HOME")]
        home: PathBuf,
        /// How long the process may take to end before it is killed.
        #[arg(long, default_value_t = 5000)]
        deadline_ms: u64,
    },
    /// Test one server, as its own customers would use it; exits 1 when a case fails.
    Suite {
        /// Where the JUnit result goes.
        #[arg(long)]
        out: PathBuf,
        #[command(flatten)]
        under_test: suite::UnderTest,
    },
}

/// Does what the command line says. An error is one line on stderr: it may end up in a log.
pub(crate) fn run() -> ExitCode {
    let verb = Cli::parse().verb;
    let done = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("cannot start the runtime")
        .and_then(|runtime| runtime.block_on(obey(verb)));
    done.unwrap_or_else(|error| {
        eprintln!("{error:#}");
        ExitCode::FAILURE
    })
}

async fn obey(verb: Verb) -> Result<ExitCode> {
    match verb {
        Verb::Serve { home, detach } => serve::run(&Home::at(&home), detach).await?,
        Verb::Restart { home, deadline_ms } => {
            let program = std::env::current_exe().context("cannot find my own program")?;
            let deadline = Duration::from_millis(deadline_ms);
            let pid = restart(&program, &Home::at(&home), deadline).await?;
            println!("{} runs as process {pid}", home.display());
        }
        Verb::Stop { home, deadline_ms } => {
            stop(&Home::at(&home), Duration::from_millis(deadline_ms)).await?;
        }
        Verb::Suite { out, under_test } => {
            let report = suite::run(&under_test).await;
            report.write(&out)?;
            println!("{report}");
            return Ok(ExitCode::from(u8::from(!report.passed())));
        }
    }
    Ok(ExitCode::SUCCESS)
}
