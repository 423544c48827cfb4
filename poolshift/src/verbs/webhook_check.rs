//! `poolshift webhook-check`: what stored deliveries would lead to, by the gateway's own doors.

use std::path::{Path, PathBuf};

use clap::ValueEnum;
use events::{Ask, Report, Target};
use gateway::Known;
use gateway::stored::{Outcome, Sender, outcome};
use rollout::catalogue::Entry;
use serde::Serialize;
use serde_json::Value;
use view::JenkinsView;

use crate::said::Said;
use crate::stored::{one_line, read};
use crate::{catalogue, exit};

/// Whose deliveries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum From {
    /// The HTTP Request step of a pipeline.
    Jenkins,
    /// The Notification plugin.
    JenkinsNotification,
    /// Slack; not built yet.
    Slack,
}

/// What one file would lead to.
#[derive(Debug, Serialize)]
struct Told {
    file: String,
    /// `report`, `ignored` or `refused`.
    outcome: &'static str,
    why: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    target: Option<Target>,
    #[serde(skip_serializing_if = "Option::is_none")]
    report: Option<Value>,
}

/// Tells what each file would lead to; all must lead to a report.
pub(crate) fn run(
    from: From,
    folder: Option<&Path>,
    files: &[PathBuf],
    json: bool,
) -> anyhow::Result<Said> {
    let known = known(folder);
    let mut lines = Vec::new();
    let mut good = true;
    for file in files {
        let told = tell(from, file, known.as_deref());
        good &= told.outcome == "report";
        lines.push(if json {
            serde_json::to_string(&told)?
        } else {
            format!("{}: {}: {}", told.file, told.outcome, told.why)
        });
    }
    let code = if good { exit::DONE } else { exit::REFUSED };
    Ok(Said::new(code, lines.join("\n")))
}

/// All targets of a catalogue; without one nothing is mapped.
fn known(folder: Option<&Path>) -> Result<Vec<Known>, String> {
    let Some(folder) = folder else {
        return Ok(Vec::new());
    };
    let files = catalogue::load(&[folder.to_owned()]).map_err(|error| error.to_string())?;
    let entries = files.iter().flat_map(|file| &file.service.entries);
    Ok(entries.map(of_entry).collect())
}

fn of_entry(entry: &Entry) -> Known {
    Known {
        target: entry.target.clone(),
        jenkins: entry.jenkins.as_ref().map(|jenkins| JenkinsView {
            job: jenkins.job.clone(),
            version_parameter: jenkins.version_parameter.clone(),
            sha256_parameter: jenkins.sha256_parameter.clone(),
            environment: jenkins.environment.clone(),
            environment_parameter: jenkins.environment_parameter.clone(),
        }),
    }
}

fn tell(from: From, file: &Path, known: Result<&[Known], &String>) -> Told {
    let name = one_line(&file.display().to_string());
    let refused = |why: &str, reason: Option<String>| Told {
        file: name.clone(),
        outcome: "refused",
        why: one_line(why),
        reason,
        target: None,
        report: None,
    };
    let sender = match from {
        From::Jenkins => Sender::Jenkins,
        From::JenkinsNotification => Sender::JenkinsNotification,
        From::Slack => return refused("deliveries of Slack are not taken yet", None),
    };
    let known = match known {
        Ok(known) => known,
        Err(why) => return refused(&format!("the catalogue is no use: {why}"), None),
    };
    let body = match read(file, sender.bytes_max() as u64) {
        Ok(body) => body,
        Err(why) => return refused(&why, None),
    };
    match outcome(sender, &body, known) {
        Outcome::Report(target, report) => Told {
            why: one_line(&summary(&target, &report)),
            file: name,
            outcome: "report",
            reason: None,
            target: Some(target),
            // As it would stand in the log.
            report: serde_json::from_slice(&report.to_bytes()).ok(),
        },
        Outcome::Ignored(why) => Told {
            outcome: "ignored",
            ..refused(&why, None)
        },
        Outcome::Refused {
            reason,
            detail,
            mend,
        } => {
            let mend = mend.map_or_else(String::new, |mend| format!("; {mend}"));
            let hint = if known.is_empty() {
                " (no --catalogue was given)"
            } else {
                ""
            };
            refused(&format!("{reason}: {detail}{mend}{hint}"), Some(reason))
        }
    }
}

/// The report on one line.
fn summary(target: &Target, report: &Report) -> String {
    let Report::Ask(Ask::RequestRollout(asked)) = report else {
        return format!("a report about {target}");
    };
    let build = asked.build.as_ref().and_then(|build| build.url.as_deref());
    format!(
        "a rollout of {} to {target}, artifact {}, trust {}, rollout {}, build {}",
        asked.version,
        asked.artifact.sha256,
        asked.trust,
        asked.rollout,
        build.unwrap_or("without URL")
    )
}
