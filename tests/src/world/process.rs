//! One process of Poolshift's, with its log in a file, that can be killed and started again.

use anyhow::{Context, Result, ensure};
use std::ffi::OsString;
use std::fs::{self, File};
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;
use tokio::process::{Child, Command};
use tokio::time::timeout;

/// How long a killed process may take to be gone.
const GONE: Duration = Duration::from_secs(10);

/// How long a program that ends by itself may take.
const RUN: Duration = Duration::from_secs(60);

/// A process; it is killed when this is dropped.
#[derive(Debug)]
pub struct Process {
    /// What people call it: `serve`, `agent m1`.
    pub name: String,
    program: PathBuf,
    arguments: Vec<OsString>,
    log: PathBuf,
    child: Option<Child>,
}

impl Process {
    /// Starts it. What it says is appended to the file `log`.
    ///
    /// # Errors
    /// When it does not start.
    pub fn start(
        name: &str,
        program: PathBuf,
        arguments: impl IntoIterator<Item = impl Into<OsString>>,
        log: PathBuf,
    ) -> Result<Self> {
        let mut process = Self {
            name: name.to_owned(),
            program,
            arguments: arguments.into_iter().map(Into::into).collect(),
            log,
            child: None,
        };
        process.start_again()?;
        Ok(process)
    }

    /// Starts it again after [`Self::kill`].
    ///
    /// # Errors
    /// When it runs, or does not start.
    pub fn start_again(&mut self) -> Result<()> {
        ensure!(self.child.is_none(), "{} runs already", self.name);
        let log = File::options()
            .create(true)
            .append(true)
            .open(&self.log)
            .with_context(|| format!("cannot open {}", self.log.display()))?;
        let child = Command::new(&self.program)
            .args(&self.arguments)
            .stdin(Stdio::null())
            .stdout(log.try_clone().context("cannot share a log")?)
            .stderr(log)
            // Ctrl-C is for the stage, which then ends this in its turn.
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("cannot start {}", self.program.display()))?;
        self.child = Some(child);
        Ok(())
    }

    /// `kill -9` of this process alone: what it had started lives on.
    ///
    /// # Errors
    /// When it does not run.
    pub async fn kill(&mut self) -> Result<()> {
        let mut child = self
            .child
            .take()
            .with_context(|| format!("{} does not run", self.name))?;
        timeout(GONE, child.kill())
            .await
            .with_context(|| format!("{} does not die", self.name))?
            .with_context(|| format!("cannot kill {}", self.name))
    }

    /// The end of its log.
    #[must_use]
    pub fn last_words(&self) -> String {
        let text = fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(10)..].join("\n")
    }
}

/// Runs a program to its end.
///
/// # Errors
/// When it fails, with what it said.
pub(super) async fn run(command: &mut Command) -> Result<String> {
    command.stdin(Stdio::null()).kill_on_drop(true);
    let output = timeout(RUN, command.output())
        .await
        .with_context(|| format!("{command:?} does not end"))?
        .with_context(|| format!("cannot run {command:?}"))?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{command:?}: {said}");
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
