//! `poolshift doctor`.

use std::path::PathBuf;

use clap::Args;
use events::Target;
use serde::Serialize;

use crate::client::Client;
use crate::doctor::{Findings, Patient, examine};
use crate::failure::Failure;
use crate::said::Said;
use crate::serve::Settings;
use crate::{api, catalogue, exit};

/// `doctor`.
#[derive(Debug, Clone, Args)]
pub(crate) struct Doctor {
    /// Which service, and where: production/checkout.
    pub(crate) target: Target,
    /// The settings of `poolshift serve`, which tell of the balancers on this machine.
    #[arg(long, value_name = "FILE", env = "POOLSHIFT_CONFIG")]
    pub(crate) config: PathBuf,
    /// The service files; none: those of the settings.
    #[arg(long, value_name = "DIR")]
    pub(crate) catalogue: Option<PathBuf>,
}

#[derive(Serialize)]
struct Report<'a> {
    target: &'a Target,
    #[serde(flatten)]
    found: Findings,
}

/// Looks at all that a rollout of the target will need.
pub(crate) async fn run(client: &Client, wanted: &Doctor, json: bool) -> anyhow::Result<Said> {
    let settings: Settings = boot::settings(Some(&wanted.config))
        .map_err(|error| Failure::new(exit::WRONG_USE, error.to_string()))?;
    let folder = wanted
        .catalogue
        .clone()
        .or_else(|| settings.catalogue.clone());
    let folder = folder.unwrap_or_else(|| PathBuf::from("services"));
    let files = catalogue::load(std::slice::from_ref(&folder))?;
    let entry = catalogue::entry(&files, &wanted.target)?;
    let has = |file: &&catalogue::File| file.service.entries.contains(entry);
    let file = files.iter().find(has);
    let file = file.ok_or_else(|| Failure::refused("the service file is gone"))?;
    let view = match api::target(client, &wanted.target).await {
        Ok(view) => Some(view),
        Err(failure) if failure.code == exit::REFUSED => None,
        Err(failure) => return Err(failure.into()),
    };
    let patient = Patient {
        entry,
        file,
        view: view.as_ref(),
        controllers: &settings.lb_controller,
        stats_sockets: &settings.health_checker.stats_sockets,
        settings: &wanted.config,
    };
    let found = examine(client, &patient).await?;
    let code = if found.findings.is_empty() {
        exit::DONE
    } else {
        exit::REFUSED
    };
    let text = if json {
        let target = &wanted.target;
        serde_json::to_string(&Report { target, found })?
    } else {
        shown(&patient, &found)
    };
    Ok(Said::new(code, text))
}

fn shown(patient: &Patient<'_>, found: &Findings) -> String {
    let mut lines = Vec::new();
    for one in &found.findings {
        lines.push(format!(
            "{}: {} [{}]\n  mend: {}",
            one.place, one.what, one.check, one.mend
        ));
    }
    for one in &found.unchecked {
        lines.push(format!("{}: not looked at: {}", one.place, one.why));
    }
    for one in &found.notes {
        lines.push(format!("{}: note: {}", one.place, one.what));
    }
    let entry = patient.entry;
    let machines: std::collections::BTreeSet<_> =
        entry.servers.iter().map(|server| &server.machine).collect();
    let what = match found.findings.len() {
        0 => "nothing is wrong".to_owned(),
        1 => "1 thing is wrong".to_owned(),
        count => format!("{count} things are wrong"),
    };
    lines.push(format!(
        "{}: {what} ({} balancers, {} servers, {} machines)",
        entry.target,
        entry.balancers.len(),
        entry.servers.len(),
        machines.len()
    ));
    lines.join("\n")
}
