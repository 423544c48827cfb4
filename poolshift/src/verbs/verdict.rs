//! `poolshift verdict`: stored test results, judged by the agent's own rules.

use std::path::{Path, PathBuf};

use agent::results::{RESULTS_BYTES_MAX, Results};
use serde::Serialize;

use crate::exit;
use crate::said::Said;
use crate::stored::{one_line, read};

/// What one file proves.
#[derive(Debug, Serialize)]
struct Judged {
    file: String,
    success: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    format: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    counts: Option<Counts>,
    why: String,
}

#[derive(Debug, Serialize)]
struct Counts {
    total: u32,
    passed: u32,
    failed: u32,
    skipped: u32,
    inconclusive: u32,
    not_runnable: u32,
    not_run: u32,
}

/// Judges each file; all must be successes.
pub(crate) fn run(files: &[PathBuf], at_least: u32, json: bool) -> anyhow::Result<Said> {
    let judged: Vec<Judged> = files.iter().map(|file| judge(file, at_least)).collect();
    let lines: anyhow::Result<Vec<String>> = judged.iter().map(|one| line(one, json)).collect();
    let good = judged.iter().all(|one| one.success);
    let code = if good { exit::DONE } else { exit::REFUSED };
    Ok(Said::new(code, lines?.join("\n")))
}

fn judge(file: &Path, at_least: u32) -> Judged {
    let results = read(file, RESULTS_BYTES_MAX)
        .and_then(|bytes| agent::verdict(&bytes).map_err(|error| error.to_string()));
    let name = one_line(&file.display().to_string());
    let results = match results {
        Ok(results) => results,
        Err(why) => {
            return Judged {
                file: name,
                success: false,
                format: None,
                counts: None,
                why: one_line(&why),
            };
        }
    };
    let verdict = results.judge(at_least);
    Judged {
        file: name,
        success: verdict.is_ok(),
        format: Some(results.format.as_str()),
        counts: Some(counts(&results)),
        why: match verdict {
            Ok(()) => format!("{} of {} passed", results.passed, results.total),
            Err(failure) => one_line(&failure.detail),
        },
    }
}

const fn counts(results: &Results) -> Counts {
    Counts {
        total: results.total,
        passed: results.passed,
        failed: results.failed,
        skipped: results.skipped,
        inconclusive: results.inconclusive,
        not_runnable: results.not_runnable,
        not_run: results.not_run,
    }
}

fn line(judged: &Judged, json: bool) -> anyhow::Result<String> {
    if json {
        return Ok(serde_json::to_string(judged)?);
    }
    let Judged { file, why, .. } = judged;
    let word = if judged.success {
        "success"
    } else {
        "no success"
    };
    Ok(match judged.format {
        Some(format) => format!("{file}: {word}: {why} ({format})"),
        None => format!("{file}: {word}: {why}"),
    })
}
