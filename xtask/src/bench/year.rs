//! A company's year in one log: how large it is, and how long a start takes with it.

mod company;
mod fleet;
mod ledger;

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use clap::Args;
use tests::ports;
use tests::programs::Programs;
use tests::world::{Api, Process};

use company::Company;

/// How large the company is, and how long its year.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct Options {
    /// Days that the log holds.
    #[arg(long, default_value_t = 365)]
    days: u32,
    /// Services, each with one target.
    #[arg(long, default_value_t = 70)]
    services: u32,
    /// Servers of each service, two on a machine.
    #[arg(long, default_value_t = 20)]
    servers: u32,
    /// Rollouts a day in the whole company.
    #[arg(long, default_value_t = 3)]
    rollouts_a_day: u32,
}

/// The longest start that is waited for.
const READY: Duration = Duration::from_secs(1_800);

/// Measures; the last line on stdout is the size and the start.
pub(super) async fn run(options: &Options) -> Result<()> {
    let programs = Programs::build().await?;
    let root = tempfile::tempdir().context("no folder for the log")?;
    let began = Instant::now();
    let log = root.path().join("poolshift.db");
    let written = Company::found(&log, options).await?.live().await?;
    let bytes = fs::metadata(&log).context("the log is not there")?.len();
    println!(
        "{} days, {} services of {} servers, {} rollouts: {} events, written in {} s",
        options.days,
        options.services,
        options.servers,
        written.rollouts,
        written.events,
        began.elapsed().as_secs()
    );
    println!(
        "log: {} MiB, {} bytes an event, {} events a rollout",
        bytes >> 20,
        bytes / written.events.max(1),
        written.events / written.rollouts.max(1)
    );
    let first = start(&programs, root.path()).await?;
    println!("start that folds everything: {} ms", first.as_millis());
    let second = start(&programs, root.path()).await?;
    println!("start from kept states: {} ms", second.as_millis());
    let mib = bytes >> 20;
    println!("year: {mib} MiB, start_ms: {}", second.as_millis());
    Ok(())
}

/// From the start of `poolshift serve` until it is ready. It is ended as politely as a machine's
/// crash.
async fn start(programs: &Programs, root: &Path) -> Result<Duration> {
    let doors = ports::free(2)?;
    let settings = root.join("serve.toml");
    let text = format!(
        "log = {:?}\n\n[gateway]\nlocal = \"127.0.0.1:{}\"\npublic = \"127.0.0.1:{}\"\nkey = {:?}\n",
        root.join("poolshift.db"),
        doors[0],
        doors[1],
        root.join("gateway.key"),
    );
    fs::write(&settings, text).context("cannot write the settings")?;
    let began = Instant::now();
    let arguments = ["serve".into(), "--config".into(), settings.into_os_string()];
    let program = programs.poolshift.clone();
    let mut serve = Process::start("serve", program, arguments, root.join("serve.log"))?;
    let api = Api {
        local: ([127, 0, 0, 1], doors[0]).into(),
        public: ([127, 0, 0, 1], doors[1]).into(),
    };
    let ready = api.ready(READY).await;
    let took = began.elapsed();
    ready.with_context(|| format!("the log of serve ends so:\n{}", serve.last_words()))?;
    serve.kill().await?;
    Ok(took)
}
