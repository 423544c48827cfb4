//! `cargo xtask windows`: the agent for Windows, built here; and its tests, under wine.
//!
//! A compiler of its own builds it, of one version with the sources of the standard library that
//! it is given: Debian packages such a pair. The build has a target folder of its own.

mod cross;
mod needs;
mod wine;

pub(crate) use cross::check;
pub(crate) use wine::{FEATURE, stage};

use crate::part::cargo;
use crate::test::{self, Count, Group, Program, group_of};
use anyhow::{Result, ensure};
use clap::Args;
use std::path::Path;
use std::time::Instant;

/// How it is built.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// As it is given to machines: small and fast. Without, as the tests want it: soon.
    #[arg(long)]
    release: bool,
}

/// Builds the agent's program for Windows, and says where it lies.
pub(crate) async fn run(options: &Options) -> Result<()> {
    let began = Instant::now();
    needs::compiler().await?;
    let program = cross::build(options.release).await?;
    let bytes = std::fs::metadata(&program)?.len();
    println!(
        "{}: {:.1} MB, built in {:.1} s",
        program.display(),
        to_mb(bytes),
        began.elapsed().as_secs_f64()
    );
    Ok(())
}

/// Builds all that the tests under wine need, and a place for them to run in.
pub(crate) async fn prepare() -> Result<()> {
    needs::compiler().await?;
    needs::wine().await?;
    cross::build(false).await?;
    wine::make_prefix().await
}

/// Runs the agent's tests under wine alone. The last line is `wine: N passed`.
pub(crate) async fn test() -> Result<()> {
    prepare().await?;
    let mut command = cargo();
    command
        .args(["test", "--locked", "--package", "poolshift-agent"])
        .args(["--test", "wine", "--features", "wine"])
        .envs(stage());
    let count = test::counted(command).await?;
    wine::end().await;
    ensure!(count.failed == 0, "{count} under wine");
    println!("{}", line(count));
    Ok(())
}

/// Runs them as a part of all tests.
pub(crate) async fn play(programs: &[Program]) -> Result<Count> {
    let mut sum = Count::default();
    let ours = |it: &&Program| group_of(it) == Some(Group::Windows);
    for program in programs.iter().filter(ours) {
        sum = sum + program.run().await?;
    }
    wine::end().await;
    println!("{}", line(sum));
    Ok(sum)
}

fn line(count: Count) -> String {
    format!("wine: {} passed", count.passed)
}

#[expect(clippy::cast_precision_loss, reason = "shown with one digit")]
fn to_mb(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}

fn is_there(path: &str) -> bool {
    Path::new(path).exists()
}
