//! The command line.

use std::io::IsTerminal as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context as _;
use clap::{Parser, Subcommand};
use tokio::sync::watch;
use tracing_subscriber::fmt::writer::BoxMakeWriter;

use crate::clients::Clients;
use crate::decide::Agent;
use crate::engine::Engine;
use crate::gateway::{self, Gateway};
use crate::identity::Identity;
use crate::ledger::Ledger;
use crate::look::Looker;
use crate::memory::Memory;
use crate::settings::{Settings, SettingsArgs};
use crate::work::Tools;
use crate::{courier, intake, platform, program};

/// The agent of one machine: fetches, installs and tests what its gateway commands, and reports.
/// It only speaks outwards. Proxies come from HTTPS_PROXY, HTTP_PROXY and NO_PROXY, the log's
/// level from RUST_LOG.
#[derive(Debug, Parser)]
#[command(name = "poolshift-agent", version)]
struct Cli {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Work for ever. Under systemd set KillMode=process: an installer must outlive a restart of the
    /// agent, which then awaits it.
    Run(SettingsArgs),
    /// Trade a one-time code for this machine's key and token. `poolshift agent enrol MACHINE`
    /// prints the code; it is good for 15 minutes.
    Enrol {
        #[command(flatten)]
        settings: SettingsArgs,
        /// The code.
        #[arg(long, env = "POOLSHIFT_AGENT_CODE", hide_env_values = true)]
        code: String,
    },
    /// What only this operating system has.
    #[command(flatten)]
    Own(platform::Verb),
    /// Leave a mark and become another program: how the agent starts the programs of others.
    #[command(hide = true)]
    Exec {
        /// The mark to make.
        mark: PathBuf,
        /// The program and its arguments.
        #[arg(last = true, required = true)]
        argv: Vec<String>,
    },
}

/// Runs the agent's command line to its end.
#[must_use]
pub fn main() -> ExitCode {
    let done = match Cli::parse().verb {
        Verb::Exec { mark, argv } => {
            let (code, why) = program::launch(&mark, &argv);
            eprintln!("{why}");
            return ExitCode::from(code);
        }
        Verb::Run(settings) => settings
            .settings()
            .and_then(|settings| in_runtime(on_stderr(), run(settings))),
        Verb::Own(verb) => verb.obey(),
        Verb::Enrol { settings, code } => settings
            .settings()
            .and_then(|settings| in_runtime(on_stderr(), enrol(settings, code))),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("poolshift-agent: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn on_stderr() -> BoxMakeWriter {
    BoxMakeWriter::new(std::io::stderr)
}

/// Does work to its end, and logs there.
pub(crate) fn in_runtime(
    log: BoxMakeWriter,
    work: impl Future<Output = anyhow::Result<()>>,
) -> anyhow::Result<()> {
    tracing_subscriber::fmt()
        .with_env_filter(
            tracing_subscriber::EnvFilter::try_from_default_env()
                .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("info")),
        )
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(log)
        .init();
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .context("start the runtime")?
        .block_on(work)
}

async fn enrol(settings: Settings, code: String) -> anyhow::Result<()> {
    let clients = Clients::new(settings.ca_file.as_deref(), Arc::default())?;
    let identity = Identity::make(&settings.machine, &settings.data)?;
    let enrolment = identity.enrolment(&code);
    let enrolled = gateway::enrol(&clients.outside, &settings.gateway, &enrolment).await?;
    identity.keep(&enrolled)?;
    let machine = &settings.machine;
    tracing::info!(%machine, until = %enrolled.expires_at, "enrolled");
    Ok(())
}

/// Runs an agent for ever.
///
/// # Errors
/// When it cannot even begin: not enrolled, a damaged journal, another agent on its data.
pub async fn run(settings: Settings) -> anyhow::Result<()> {
    let launcher = std::env::current_exe().context("find the agent's own program")?;
    let hosts = Arc::new(settings.hosts.clone());
    let clients = Clients::new(settings.ca_file.as_deref(), hosts.clone())?;
    let identity = Identity::load(&settings.machine, &settings.data)?;
    let memory = Arc::new(Memory::new(Ledger::open(&settings.data)?));
    let gateway = Gateway::new(clients.outside.clone(), &settings.gateway, identity);
    let gateway = Arc::new(gateway);
    let looker = Looker::new(
        settings.data.clone(),
        clients.artifacts.clone(),
        hosts.clone(),
    );
    let (send, inbox) = watch::channel(Vec::new());
    let engine = Engine {
        agent: Agent {
            machine: settings.machine.clone(),
        },
        memory: memory.clone(),
        tools: Tools {
            launcher,
            folder: settings.data.join("work"),
            clients,
            hosts,
            masks: settings.masks(),
        },
        inbox,
        task: None,
    };
    tracing::info!(machine = %settings.machine, gateway = settings.gateway, "agent runs");
    let ended = tokio::select! {
        ended = tokio::spawn(engine.run()) => ended,
        ended = tokio::spawn(intake::follow(gateway.clone(), send, looker)) => ended,
        ended = tokio::spawn(courier::deliver(gateway, memory)) => ended,
    };
    // None of them ends by itself: a service manager starts us anew.
    ended.context("a part of the agent broke off")
}
