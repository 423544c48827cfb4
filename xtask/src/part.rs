//! Parts of a chore: each is timed, and some are held to a budget.

use anyhow::{Context, Result, ensure};
use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use tokio::process::Command;
use tokio::time::timeout;

/// What one part cost, and whether it failed.
#[derive(Debug)]
pub(crate) struct Part {
    name: String,
    took: Duration,
    budget: Option<Duration>,
    failure: Option<String>,
}

impl Part {
    /// Does a part and says what it cost. A part that takes twice its budget is ended.
    pub(crate) async fn of<F>(name: &str, budget: Option<Duration>, work: F) -> Self
    where
        F: Future<Output = Result<()>>,
    {
        println!("\n== {name}");
        let began = Instant::now();
        let done = match budget {
            None => work.await,
            Some(budget) => match timeout(budget * 2, work).await {
                Ok(done) => done,
                Err(_) => Err(anyhow::anyhow!(
                    "ended after {} s, twice its budget",
                    (budget * 2).as_secs()
                )),
            },
        };
        let part = Self {
            name: name.to_owned(),
            took: began.elapsed(),
            budget,
            failure: done.err().map(|error| format!("{error:#}")),
        };
        println!("== {}", part.line());
        part
    }

    /// Whether it did what it should, within its budget.
    pub(crate) fn is_good(&self) -> bool {
        self.failure.is_none() && !self.is_over()
    }

    fn is_over(&self) -> bool {
        self.budget.is_some_and(|budget| self.took > budget)
    }

    fn line(&self) -> String {
        let budget = self.budget.map_or_else(
            || "no budget".to_owned(),
            |budget| format!("budget {} s", budget.as_secs()),
        );
        let end = match &self.failure {
            Some(failure) => format!("FAILED: {failure}"),
            None if self.is_over() => "OVER BUDGET".to_owned(),
            None => "good".to_owned(),
        };
        format!(
            "{:<12} {:>7.1} s  {budget:<13} {end}",
            self.name,
            self.took.as_secs_f64()
        )
    }
}

/// All parts, one a line, and the whole.
pub(crate) fn print_table(parts: &[Part]) {
    println!();
    for part in parts {
        println!("{}", part.line());
    }
    let whole: Duration = parts.iter().map(|part| part.took).sum();
    println!("{:<12} {:>7.1} s", "whole", whole.as_secs_f64());
}

/// Where the workspace lies.
pub(crate) fn root() -> PathBuf {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    own.parent().unwrap_or(own).to_owned()
}

/// Cargo, as it started us.
pub(crate) fn cargo() -> Command {
    let path = env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo"));
    let mut command = Command::new(path);
    command.kill_on_drop(true);
    command
}

/// Runs a command that says on the terminal what it has to say.
pub(crate) async fn pass(command: &mut Command) -> Result<()> {
    let what = words(command);
    let status = command
        .status()
        .await
        .with_context(|| format!("cannot run {what}"))?;
    ensure!(status.success(), "{what} failed ({status})");
    Ok(())
}

/// A command as people type it.
pub(crate) fn words(command: &Command) -> String {
    let program = Path::new(command.as_std().get_program());
    let name = program.file_name().unwrap_or(program.as_os_str());
    let args = command.as_std().get_args();
    let words = std::iter::once(name).chain(args);
    let words: Vec<_> = words.map(|word| word.to_string_lossy()).collect();
    format!("`{}`", words.join(" "))
}
