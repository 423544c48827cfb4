//! `poolshift apply`.

use std::path::PathBuf;
use std::time::Duration;

use events::{Digest, Target};
use serde::Serialize;
use tokio::time::{Instant, sleep};
use view::TargetView;

use crate::api::{SEEN_WITHIN, Written};
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
                let _: Written = client.post("/catalogue", None, &define).await?;
            }
            all.push(Applied {
                target,
                sha256,
                changed,
            });
        }
    }
    wait(client, &all).await?;
    Ok(all)
}

fn counts(targets: &[TargetView], target: &Target, sha256: Digest) -> bool {
    targets
        .iter()
        .any(|view| view.target == *target && view.entry_sha256 == sha256)
}

async fn wait(client: &Client, applied: &[Applied]) -> Result<(), Failure> {
    let until = Instant::now() + SEEN_WITHIN;
    loop {
        let now: Vec<TargetView> = client.get("/targets").await?;
        let missing: Vec<&str> = applied
            .iter()
            .filter(|applied| !counts(&now, &applied.target, applied.sha256))
            .map(|applied| applied.target.as_str())
            .collect();
        if missing.is_empty() {
            return Ok(());
        }
        if Instant::now() >= until {
            let what = format!("{} did not change in time", missing.join(", "));
            return Err(Failure::new(exit::NOT_SEEN, what)
                .mend("look at the log of `serve`, which says why; `apply` may be repeated"));
        }
        sleep(LOOK_EVERY).await;
    }
}
