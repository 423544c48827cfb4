//! `poolshift apply`.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use events::{Digest, ReportId, Target};
use serde::Serialize;
use tokio::time::{Instant, sleep};
use view::TargetView;

use crate::api::{self, SEEN_WITHIN, Written};
use crate::catalogue::{self, File};
use crate::client::Client;
use crate::exit;
use crate::failure::Failure;
use crate::said::Said;
use crate::table::{row, table};

const LOOK_EVERY: Duration = Duration::from_millis(50);

/// An entry that counts now.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Applied {
    /// Whose.
    pub(crate) target: Target,
    /// Digest of its file.
    pub(crate) sha256: Digest,
    /// Whether it did not count before.
    pub(crate) changed: bool,
}

#[derive(Serialize)]
struct Define<'a> {
    target: &'a Target,
    entry: &'a str,
    person: Option<&'a str>,
}

/// Checks all files first; nothing is sent when one of them has a problem.
pub(crate) async fn run(
    client: &Client,
    folder: PathBuf,
    person: Option<&str>,
    json: bool,
) -> anyhow::Result<Said> {
    let files = catalogue::load(&[folder])?;
    let applied = define(client, &files, person).await?;
    Said::either(json, &applied, || {
        let rows: Vec<Vec<String>> = applied
            .iter()
            .map(|applied| {
                let change = if applied.changed { "applied" } else { "same" };
                row([change, applied.target.as_str(), &applied.sha256.short()])
            })
            .collect();
        table(&rows)
    })
}

/// Sends each entry that does not count already, and waits until all of them do.
///
/// # Errors
/// When the server refuses one, or it does not count in time.
pub(crate) async fn define(
    client: &Client,
    files: &[File],
    person: Option<&str>,
) -> Result<Vec<Applied>, Failure> {
    let before: Vec<TargetView> = client.get("/targets").await?;
    let mut all = Vec::new();
    let mut reports = BTreeMap::new();
    for file in files {
        let sha256 = file.sha256();
        for entry in &file.service.entries {
            let target = entry.target.clone();
            let changed = !counts(&before, &target, sha256);
            if changed {
                let define = Define {
                    target: &target,
                    entry: &file.text,
                    person,
                };
                let written: Written = client.post("/catalogue", None, &define).await?;
                reports.insert(target.clone(), written.report);
            }
            all.push(Applied {
                target,
                sha256,
                changed,
            });
        }
    }
    wait(client, &all, &reports).await?;
    Ok(all)
}

fn counts(targets: &[TargetView], target: &Target, sha256: Digest) -> bool {
    targets
        .iter()
        .any(|view| view.target == *target && view.entry_sha256 == sha256)
}

async fn wait(
    client: &Client,
    applied: &[Applied],
    reports: &BTreeMap<Target, ReportId>,
) -> Result<(), Failure> {
    let until = Instant::now() + SEEN_WITHIN;
    loop {
        let now: Vec<TargetView> = client.get("/targets").await?;
        let missing: Vec<&Target> = applied
            .iter()
            .filter(|applied| !counts(&now, &applied.target, applied.sha256))
            .map(|applied| &applied.target)
            .collect();
        if missing.is_empty() {
            return Ok(());
        }
        for target in &missing {
            if let Some(report) = reports.get(*target)
                && let Some(why) = api::refused(client, *report).await?
            {
                let what = format!("{target}: not taken: {why}");
                return Err(Failure::refused(what).place(format!("report {report}")));
            }
        }
        if Instant::now() >= until {
            let names: Vec<&str> = missing.iter().map(|target| target.as_str()).collect();
            let what = format!("{} did not change in time", names.join(", "));
            return Err(Failure::new(exit::NOT_SEEN, what)
                .mend("look at the log of `serve`, which says why; `apply` may be repeated"));
        }
        sleep(LOOK_EVERY).await;
    }
}
