//! What can be said of gates, freezes, and rollouts that wait.

use clap::Args;
use events::{EnvironmentName, ReportId, Target};
use rollout::catalogue::units::{UnitError, duration_ms as milliseconds};

use super::{AsPerson, RolloutArg};

/// `supersede`.
#[derive(Debug, Clone, Args)]
pub(crate) struct Supersede {
    /// Where the halted rollout is: production/checkout.
    pub(crate) target: Target,
    /// The rollout that takes over: its id, or the beginning of it.
    #[arg(long, value_name = "ROLLOUT")]
    pub(crate) with: String,
    /// Why.
    #[arg(long)]
    pub(crate) reason: String,
    #[command(flatten)]
    pub(crate) person: AsPerson,
}

/// `override`.
#[derive(Debug, Clone, Args)]
pub(crate) struct Override {
    #[command(flatten)]
    pub(crate) rollout: RolloutArg,
    /// Which gate.
    #[arg(long, value_parser = ["window", "freeze", "promotion"])]
    pub(crate) gate: String,
    /// Who overrides it: a name or id of the people file.
    #[arg(long = "as", value_name = "PERSON")]
    pub(crate) person: String,
    /// Why.
    #[arg(long)]
    pub(crate) reason: String,
    /// Of which ticket.
    #[arg(long)]
    pub(crate) ticket: Option<String>,
}

/// One target, or all of an environment.
#[derive(Debug, Clone, Args)]
#[group(required = true, multiple = false)]
pub(crate) struct Where {
    /// Which service, and where: production/checkout.
    pub(crate) target: Option<Target>,
    /// Every target that this environment has now.
    #[arg(long, value_name = "NAME")]
    pub(crate) environment: Option<EnvironmentName>,
}

/// `freeze`.
#[derive(Debug, Clone, Args)]
pub(crate) struct Freeze {
    #[command(flatten)]
    pub(crate) place: Where,
    /// From when on, such as 2026-12-23T18:00:00+01:00, 2026-12-23T18:00[Europe/Berlin], or
    /// "2026-12-23 18:00" with --zone; none: at once.
    #[arg(long, value_name = "TIME")]
    pub(crate) from: Option<String>,
    /// Until when.
    #[arg(long, value_name = "TIME", required_unless_present = "lasting")]
    pub(crate) until: Option<String>,
    /// Whose clocks show these times: Europe/Berlin.
    #[arg(long, value_name = "ZONE")]
    pub(crate) zone: Option<String>,
    /// Or for how long, such as 90m, 36h or 7d.
    #[arg(long = "for", value_name = "DURATION", value_parser = duration_ms, conflicts_with = "until")]
    pub(crate) lasting: Option<u64>,
    /// Why.
    #[arg(long)]
    pub(crate) reason: String,
    #[command(flatten)]
    pub(crate) person: AsPerson,
}

/// `unfreeze`.
#[derive(Debug, Clone, Args)]
pub(crate) struct Unfreeze {
    #[command(flatten)]
    pub(crate) place: Where,
    /// Only this one, by the id that `status --json` shows.
    #[arg(long, value_name = "ID")]
    pub(crate) freeze: Option<ReportId>,
    /// Why.
    #[arg(long)]
    pub(crate) reason: String,
    #[command(flatten)]
    pub(crate) person: AsPerson,
}

fn duration_ms(text: &str) -> Result<u64, UnitError> {
    milliseconds(text)
}
