//! The programs that play on the stage, built from this workspace.

use anyhow::{Context, Result, ensure};
use std::env;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;
use tokio::process::Command;
use tokio::time::timeout;

/// A first build on a slow machine; later ones take a second.
const BUILD: Duration = Duration::from_secs(1800);

/// Set by whoever has built the programs already, with the features of its own build: another
/// choice of packages has others, and would build everything anew.
pub const BUILT: &str = "POOLSHIFT_STAGE_IS_BUILT";

/// Where the programs lie.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Programs {
    /// The shop: what is rolled out.
    pub shop: PathBuf,
    /// Poolshift: `serve` and what people type.
    pub poolshift: PathBuf,
    /// The agent.
    pub agent: PathBuf,
}

impl Programs {
    /// Builds all of them, beside the program that calls this; if [`BUILT`] is set they are there.
    ///
    /// # Errors
    /// When what building needs cannot be installed, or cargo cannot build them, or does not put them there.
    pub async fn build() -> Result<Self> {
        if env::var_os(BUILT).is_none() {
            Self::run_cargo().await?;
        }
        Self::found()
    }

    async fn run_cargo() -> Result<()> {
        crate::compilers::ensure_installed().await?;
        let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let mut build = Command::new(cargo);
        build
            .args(["build", "--quiet", "--bins"])
            .args(["--package", "poolshift", "--package", "poolshift-agent"])
            .args(["--package", "poolshift-tests"])
            .stdin(Stdio::null())
            .kill_on_drop(true);
        let status = timeout(BUILD, build.status())
            .await
            .context("the build takes too long")?
            .context("cannot run cargo")?;
        ensure!(status.success(), "the programs of the stage do not build");
        Ok(())
    }

    fn found() -> Result<Self> {
        let own = env::current_exe().context("cannot find my own program")?;
        // Tests lie one folder deeper than programs.
        let folder = own
            .ancestors()
            .skip(1)
            .find(|folder| !folder.ends_with("deps"))
            .context("my own program lies nowhere")?;
        let program = |name: &str| {
            let path = folder.join(name);
            ensure!(
                path.is_file(),
                "{} is missing: run this by cargo, in the workspace's own target folder",
                path.display()
            );
            Ok(path)
        };
        Ok(Self {
            shop: program("shop")?,
            poolshift: program("poolshift")?,
            agent: program("poolshift-agent")?,
        })
    }
}
