//! `poolshift check`.

use std::path::PathBuf;

use serde::Serialize;

use crate::catalogue::{Found, check};
use crate::exit;
use crate::said::Said;

#[derive(Serialize)]
struct Report {
    files: usize,
    problems: Vec<Found>,
}

/// Every problem of every file.
pub(crate) fn run(paths: &[PathBuf], json: bool) -> anyhow::Result<Said> {
    let checked = check(paths)?;
    let good = checked.found.is_empty();
    let code = if good { exit::DONE } else { exit::REFUSED };
    let text = if json {
        serde_json::to_string(&Report {
            files: checked.files.len(),
            problems: checked.found,
        })?
    } else if good {
        let entries = checked.files.iter().map(|file| file.service.entries.len());
        format!(
            "good: {} services, {} targets",
            checked.files.len(),
            entries.sum::<usize>()
        )
    } else {
        let lines: Vec<String> = checked.found.iter().map(Found::to_string).collect();
        lines.join("\n")
    };
    Ok(Said::new(code, text))
}
