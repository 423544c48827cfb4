//! Building all tests at once, and running their programs one by one.
//!
//! `cargo test -p X` would build the dependencies again for each choice of packages, because their
//! features differ; so all is built as one, and the programs are started here.

use super::count::Count;
use super::parts::Chore;
use crate::part::{cargo, pass, words};
use crate::windows;
use anyhow::{Context, Result, ensure};
use cargo_metadata::{Message, MetadataCommand};
use std::collections::BTreeSet;
use std::fmt;
use std::io::Cursor;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use tests::programs::BUILT;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Command;

/// Programs of ours that the whole-system tests start.
const STAGE: [&str; 3] = ["poolshift", "poolshift-agent", "shop"];

/// A test program, ready to run.
#[derive(Debug)]
pub(crate) struct Program {
    pub(crate) package: String,
    pub(crate) target: String,
    kind: String,
    folder: PathBuf,
    path: PathBuf,
}

impl Program {
    /// Runs its tests and counts them as it does.
    pub(crate) async fn run(&self) -> Result<Count> {
        println!("\n-- {self}");
        let mut command = Command::new(&self.path);
        command
            .current_dir(&self.folder)
            .env("CARGO_MANIFEST_DIR", &self.folder)
            .env("CARGO_PKG_NAME", &self.package)
            .envs(windows::stage());
        counted(command).await
    }
}

impl fmt::Display for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.package, self.kind, self.target)
    }
}

/// Builds every test of the workspace.
pub(crate) async fn all() -> Result<Vec<Program>> {
    let mut command = cargo();
    command
        .args(["test", "--locked", "--workspace", "--no-run"])
        .args(["--features", windows::FEATURE])
        .arg("--message-format=json-render-diagnostics")
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit());
    let output = command.output().await.context("cannot run cargo")?;
    ensure!(output.status.success(), "the tests do not build");
    let metadata = MetadataCommand::new()
        .no_deps()
        .exec()
        .context("cannot read the workspace")?;
    let mut programs = Vec::new();
    let mut bins = BTreeSet::new();
    for message in Message::parse_stream(Cursor::new(output.stdout)) {
        let Message::CompilerArtifact(artifact) = message.context("cannot read what cargo says")?
        else {
            continue;
        };
        let Some(path) = &artifact.executable else {
            continue;
        };
        if artifact.profile.test {
            let mut packages = metadata.packages.iter();
            let package = packages.find(|it| it.id == artifact.package_id);
            let package = package.context("cargo built a test of a package it does not know")?;
            programs.push(Program {
                package: package.name.to_string(),
                kind: artifact
                    .target
                    .kind
                    .first()
                    .map(ToString::to_string)
                    .unwrap_or_default(),
                target: artifact.target.name,
                folder: package
                    .manifest_path
                    .parent()
                    .context("a manifest without a folder")?
                    .into(),
                path: path.into(),
            });
        } else {
            bins.insert(artifact.target.name);
        }
    }
    ensure!(!programs.is_empty(), "cargo built no tests");
    if STAGE.iter().any(|name| !bins.contains(*name)) {
        cargo_build_stage().await?;
    }
    programs.sort_by(|a, b| (&a.package, &a.target).cmp(&(&b.package, &b.target)));
    println!("{} test programs", programs.len());
    Ok(programs)
}

/// What the build of the tests left out, with the features of the same build.
async fn cargo_build_stage() -> Result<()> {
    let mut command = cargo();
    command
        .args(["build", "--locked", "--workspace", "--bins"])
        .args(["--features", windows::FEATURE]);
    pass(&mut command).await
}

/// Runs a chore; `xtask` is our own program. If it fails without having counted a failure, that counts as one.
pub(crate) async fn chore(chore: Chore, xtask: &Path) -> Result<Count> {
    println!("\n-- {chore}");
    let (mut command, words) = match chore {
        Chore::Cargo(words) => (cargo(), words),
        Chore::Xtask(words) => (Command::new(xtask), words),
    };
    command.args(words);
    counted(command).await
}

/// Runs tests and counts them by what they say.
pub(crate) async fn counted(mut command: Command) -> Result<Count> {
    let what = words(&command);
    let mut child = command
        .env(BUILT, "1")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .with_context(|| format!("cannot run {what}"))?;
    let stdout = child.stdout.take().context("no pipe to the test program")?;
    let mut lines = BufReader::new(stdout).split(b'\n');
    let mut sum = Count::default();
    while let Some(line) = lines
        .next_segment()
        .await
        .context("cannot read the tests' output")?
    {
        let line = String::from_utf8_lossy(&line);
        println!("{line}");
        sum = Count::read(&line).map_or(sum, |count| sum + count);
    }
    let status = child
        .wait()
        .await
        .with_context(|| format!("cannot await {what}"))?;
    if !status.success() && sum.failed == 0 {
        println!("{what} ended with {status} and counted no failure: that is one");
        sum = sum + Count::FAILURE;
    }
    Ok(sum)
}
