//! The command line.

mod gates;
mod when;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use events::{Digest, MachineName, ServerName, Target, Version};

use crate::exit;
use crate::verbs::doctor::Doctor;
use crate::verbs::haproxy_config::HaproxyConfig;
use crate::verbs::import::Import;
use crate::verbs::log::Log;
use crate::verbs::topics::Topics;
use crate::verbs::webhook_check::From;

pub(crate) use gates::{Freeze, Override, Supersede, Unfreeze, Where};
pub(crate) use when::moment;

/// Rolls a new version of a service out over its servers, with no customer noticing.
#[derive(Debug, Parser)]
#[command(name = "poolshift", version, after_help = exit::help())]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) common: Common,
    #[command(subcommand)]
    pub(crate) verb: Verb,
}

/// What every verb takes.
#[derive(Debug, Clone, Args)]
pub(crate) struct Common {
    /// Where the API of `poolshift serve` is: on its machine, or through a tunnel.
    #[arg(
        long = "server",
        global = true,
        env = "POOLSHIFT_SERVER",
        value_name = "URL",
        default_value = "http://127.0.0.1:7401",
        help_heading = "Everywhere"
    )]
    pub(crate) api: String,
    /// Answer in JSON, one document a line.
    #[arg(long, global = true, help_heading = "Everywhere")]
    pub(crate) json: bool,
}

/// What can be done.
#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Run all of Poolshift in this process. `deploy/serve.example.toml` explains its settings; each
    /// can also be set by a variable, such as POOLSHIFT__GATEWAY__LOCAL. RUST_LOG sets the log's
    /// level.
    Serve {
        /// The settings.
        #[arg(long, value_name = "FILE")]
        config: PathBuf,
        /// A folder of service files, applied at the start; none: the one of the settings.
        #[arg(long, value_name = "DIR")]
        catalogue: Option<PathBuf>,
    },
    /// Read HAProxy's configuration, and write a service file to be completed for each of its
    /// services.
    Import(Import),
    /// Look at all that a rollout will need, where `serve` runs: balancers, sockets, state files,
    /// agents, clocks, disks, artifacts, suites. Exits 1 when anything is wrong, with the mend.
    Doctor(Doctor),
    /// Check service files, without a server: says each problem as FILE:LINE:COLUMN and how to mend
    /// it.
    Check {
        /// Folders of service files, or such files.
        #[arg(value_name = "DIR|FILE", default_value = "services")]
        paths: Vec<PathBuf>,
    },
    /// Check service files, then make them count from the next rollout on.
    Apply {
        /// A folder of service files.
        #[arg(value_name = "DIR")]
        folder: PathBuf,
        #[command(flatten)]
        person: AsPerson,
    },
    /// Show what a rollout would do, without starting it.
    Plan {
        /// Which service, and where: production/checkout.
        target: Target,
        /// The version.
        #[arg(long)]
        version: Version,
        /// Plan from these service files alone, without a server and as if every server were UP.
        #[arg(long, value_name = "DIR")]
        catalogue: Option<PathBuf>,
    },
    /// Record what runs on servers that Poolshift has never installed, so that there is a way back.
    #[command(
        override_usage = "poolshift adopt <TARGET> <SERVER> <VERSION> --sha256 <DIGEST>\n       \
                          poolshift adopt <TARGET> --all <VERSION> --sha256 <DIGEST>"
    )]
    Adopt {
        /// Which service, and where: production/checkout.
        target: Target,
        /// The server and the version that runs there; with --all only the version.
        #[arg(value_names = ["SERVER", "VERSION"], num_args = 1..=2, required = true)]
        what: Vec<String>,
        /// Every server of the target.
        #[arg(long)]
        all: bool,
        /// Digest of the artifact that this version was installed from.
        #[arg(long, value_name = "DIGEST", value_parser = digest)]
        sha256: Digest,
        #[command(flatten)]
        person: AsPerson,
    },
    /// Start a rollout.
    #[command(after_help = exit::help())]
    Start(Start),
    /// Show what is waited for, what runs, and where each server is.
    Status {
        /// Which service, and where; none: all.
        target: Option<Target>,
    },
    /// Follow a rollout to its end. Exits 0 only when it succeeded.
    #[command(after_help = exit::help())]
    Watch(RolloutArg),
    /// Open no new batch.
    Pause(Why),
    /// Go on after a pause.
    Resume(Why),
    /// Stop, and go back.
    Abort(Why),
    /// Try again what failed.
    Retry(Why),
    /// Take a server out of the rollout that runs: one that waits stays on its version, one that is
    /// held stays out and is stuck at the end.
    Exclude {
        /// Which service, and where.
        target: Target,
        /// Which server.
        server: ServerName,
        /// Why.
        #[arg(long)]
        reason: String,
        #[command(flatten)]
        person: AsPerson,
    },
    /// Let go of a server that stays out: you have looked at it, and take it on.
    Release {
        /// Which service, and where.
        target: Target,
        /// Which server.
        server: ServerName,
        /// Why.
        #[arg(long)]
        reason: String,
        #[command(flatten)]
        person: AsPerson,
    },
    /// Say yes to exactly the plan that is shown.
    Approve(Approve),
    /// Let a rollout that waits take the servers of a halted one over: that one ends as it is.
    Supersede(Supersede),
    /// Let a rollout pass a window, a freeze, or a promotion. Who may: `overrides` in the catalogue.
    Override(Override),
    /// Begin nothing for a while: no rollout and no batch. What goes back goes back all the same.
    Freeze(Freeze),
    /// End freezes before their time.
    Unfreeze(Unfreeze),
    /// Show what happened on a target, the oldest first.
    History {
        /// Which service, and where.
        target: Target,
        /// Only so many, the newest ones.
        #[arg(long, value_name = "N")]
        limit: Option<usize>,
    },
    /// Print what HAProxy needs for a target.
    HaproxyConfig(HaproxyConfig),
    /// Let agents in, and out.
    #[command(subcommand)]
    Agent(Agent),
    /// Tell what stored deliveries of a build server would lead to, if they came now: nothing has to
    /// run, and signatures are not asked for. Exits 0 only when every file leads to a report, else 1.
    WebhookCheck {
        /// Whose deliveries they are.
        #[arg(long, value_enum)]
        sender: From,
        /// The service files that say whose builds may ask for what; none: no job is known.
        #[arg(long, value_name = "DIR")]
        catalogue: Option<PathBuf>,
        /// Bodies of deliveries, one a file.
        #[arg(value_name = "FILE", required = true)]
        files: Vec<PathBuf>,
    },
    /// Judge stored results of test suites as an agent would: JUnit, NUnit 2 and 3, TRX, xUnit.net.
    /// Exits 0 only when every file proves success, else 1.
    Verdict {
        /// Results files.
        #[arg(value_name = "FILE", required = true)]
        files: Vec<PathBuf>,
        /// So many tests must have run in each.
        #[arg(long, value_name = "N", default_value_t = 1)]
        at_least: u32,
    },
    /// Keep a copy of the log elsewhere, and make a log from it.
    #[command(subcommand)]
    Log(Log),
    /// Make the topics of Kafka, where the log is to lie there.
    #[command(subcommand)]
    Topics(Topics),
    /// Decide again everything in a log that no process uses, and compare; check its hash chains.
    Replay {
        /// The log, or a copy of it.
        #[arg(long, value_name = "FILE")]
        log: PathBuf,
    },
}

/// Who does it.
#[derive(Debug, Clone, Args)]
pub(crate) struct AsPerson {
    /// Who does it: a name or id of the people file.
    #[arg(long = "as", value_name = "PERSON")]
    pub(crate) person: Option<String>,
}

/// Which rollout.
#[derive(Debug, Clone, Args)]
pub(crate) struct RolloutArg {
    /// Its id, or the beginning of it.
    pub(crate) rollout: String,
}

/// `start`.
#[derive(Debug, Clone, Args)]
pub(crate) struct Start {
    /// Which service, and where: production/checkout.
    pub(crate) target: Target,
    /// The version.
    #[arg(long)]
    pub(crate) version: Version,
    /// Digest of its artifact: `sha256:` and 64 hexadecimal digits.
    #[arg(long, value_name = "DIGEST", value_parser = digest)]
    pub(crate) sha256: Digest,
    /// Where the artifact is; none: where the catalogue says.
    #[arg(long)]
    pub(crate) url: Option<String>,
    /// Where the package is that its suites are run from; none: they lie in the artifact.
    #[arg(long, value_name = "URL", requires = "tests_sha256")]
    pub(crate) tests_url: Option<String>,
    /// Digest of that package.
    #[arg(long, value_name = "DIGEST", value_parser = digest, requires = "tests_url")]
    pub(crate) tests_sha256: Option<Digest>,
    /// The ticket it belongs to.
    #[arg(long)]
    pub(crate) ticket: Option<String>,
    /// Why.
    #[arg(long)]
    pub(crate) reason: Option<String>,
    #[command(flatten)]
    pub(crate) person: AsPerson,
    /// Follow it to its end.
    #[arg(long)]
    pub(crate) watch: bool,
    /// The key of a `start` whose answer was lost, so that it counts once. Default: a new one.
    #[arg(long)]
    pub(crate) key: Option<String>,
}

/// Which rollout, and why.
#[derive(Debug, Clone, Args)]
pub(crate) struct Why {
    #[command(flatten)]
    pub(crate) rollout: RolloutArg,
    /// Why.
    #[arg(long)]
    pub(crate) reason: String,
    #[command(flatten)]
    pub(crate) person: AsPerson,
}

/// `approve`.
#[derive(Debug, Clone, Args)]
pub(crate) struct Approve {
    #[command(flatten)]
    pub(crate) rollout: RolloutArg,
    /// Who approves: a name or id of the people file.
    #[arg(long = "as", value_name = "PERSON")]
    pub(crate) person: String,
    /// Digest of the plan that was looked at; none: the one that the server shows now.
    #[arg(long, value_parser = digest)]
    pub(crate) digest: Option<Digest>,
    /// Which gate; none: the first that lacks votes.
    #[arg(long)]
    pub(crate) gate: Option<String>,
    /// Why.
    #[arg(long)]
    pub(crate) reason: Option<String>,
    /// Of which ticket.
    #[arg(long)]
    pub(crate) ticket: Option<String>,
}

/// `agent`.
#[derive(Debug, Subcommand)]
pub(crate) enum Agent {
    /// Print a one-time code for a machine's agent. It is good for 15 minutes.
    Enrol {
        /// Which machine.
        machine: MachineName,
    },
    /// Make a machine's key count no more.
    Revoke {
        /// Which machine.
        machine: MachineName,
        /// Why.
        #[arg(long)]
        reason: String,
        #[command(flatten)]
        person: AsPerson,
    },
}

/// 64 bare digits are a digest, too: so `sha256sum` prints it.
fn digest(text: &str) -> Result<Digest, String> {
    let bare = text.len() == 64 && !text.contains(':');
    let full = if bare {
        format!("sha256:{}", text.to_ascii_lowercase())
    } else {
        text.to_owned()
    };
    full.parse()
        .map_err(|error: events::ParseIdError| error.to_string())
}
