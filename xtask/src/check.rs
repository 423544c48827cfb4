//! `cargo xtask check`: all that can be said of the workspace without running it.

mod duplicates;
mod licences;
mod spdx;

use crate::part::{Part, cargo, pass, print_table, root};
use crate::windows;
use anyhow::{Context, Result, bail, ensure};
use cargo_metadata::{Metadata, MetadataCommand};
use std::path::Path;
use std::time::{Duration, Instant};

/// For all parts together, also on two cores that have built nothing yet.
const BUDGET: Duration = Duration::from_secs(8 * 60);

/// Checks everything, also after a part has failed.
pub(crate) async fn run() -> Result<()> {
    let began = Instant::now();
    let root = root();
    let parts = [
        part("format", cargo_with(&["fmt", "--all", "--check"])).await,
        part("licences", async {
            licences::check(&metadata(&root)?, &root)
        })
        .await,
        part("duplicates", async {
            duplicates::check(&metadata(&root)?, &root)
        })
        .await,
        part("clippy", clippy()).await,
        part("docs", docs()).await,
        part(
            "tidy",
            cargo_with(&[
                "test",
                "--quiet",
                "--locked",
                "--package",
                "poolshift-tests",
                "--test",
                "tidy",
            ]),
        )
        .await,
        part("windows", windows::check()).await,
    ];
    print_table(&parts);
    let took = began.elapsed();
    println!("budget of the check: {} s", BUDGET.as_secs());
    ensure!(
        took <= BUDGET,
        "the check took {} s, {} are allowed: see which part grew",
        took.as_secs(),
        BUDGET.as_secs()
    );
    if !parts.iter().all(Part::is_good) {
        bail!("the check failed: see the parts marked FAILED");
    }
    println!("the check found nothing");
    Ok(())
}

async fn part(name: &str, work: impl Future<Output = Result<()>>) -> Part {
    Part::of(name, None, work).await
}

async fn clippy() -> Result<()> {
    tests::compilers::ensure_installed().await?;
    let mut command = cargo();
    command.args([
        "clippy",
        "--quiet",
        "--locked",
        "--workspace",
        "--all-targets",
        "--keep-going",
        "--features",
        windows::FEATURE,
    ]);
    pass(command.args(["--", "-D", "warnings"])).await
}

async fn docs() -> Result<()> {
    let mut command = cargo();
    command.args(["doc", "--quiet", "--locked", "--workspace", "--no-deps"]);
    pass(command.env("RUSTDOCFLAGS", "-D warnings")).await
}

async fn cargo_with(words: &[&str]) -> Result<()> {
    pass(cargo().args(words)).await
}

fn metadata(root: &Path) -> Result<Metadata> {
    MetadataCommand::new()
        .current_dir(root)
        .other_options(["--locked".to_owned()])
        .exec()
        .context(
            "cannot read the workspace: if Cargo.lock is behind, run `cargo check` and commit it",
        )
}
