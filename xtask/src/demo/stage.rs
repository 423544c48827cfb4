//! What the demo plays on: the shop's servers and the HAProxies before them.

use anyhow::{Context, Result, ensure};
use std::env;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;
use tests::customers::{Customers, Load};
use tests::fleet::Fleet;
use tests::haproxy::{Haproxy, Layout, ensure_installed};
use tests::ports;
use tests::shop::Release;
use tokio::process::Command;
use tokio::time::timeout;

/// A first build on a slow machine; later ones take a second.
const BUILD: Duration = Duration::from_secs(1200);

const SERVERS: usize = 8;
const BALANCERS: [&str; 2] = ["lb1", "lb2"];

/// Eight servers behind two HAProxies, in one folder; all of it ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Stage {
    /// Before the fleet: what is dropped first is killed first, and customers come through here.
    pub(crate) balancers: Vec<Haproxy>,
    pub(crate) fleet: Fleet,
}

impl Stage {
    /// Builds the shop, installs HAProxy if it is missing, and starts all in `root` with this
    /// release; returns when every HAProxy has found every server UP.
    pub(crate) async fn set(root: &Path, release: &Release) -> Result<Self> {
        ensure_installed().await?;
        let fleet = Fleet::start(&shop_program().await?, root, SERVERS, release).await?;
        let mut stage = Self {
            balancers: vec![],
            fleet,
        };
        let doors = ports::free(2 * BALANCERS.len())?;
        for (name, pair) in BALANCERS.iter().zip(doors.chunks_exact(2)) {
            let layout = Layout::new(name, root, [pair[0], pair[1]], &stage.fleet.servers);
            stage.balancers.push(Haproxy::start(layout).await?);
        }
        Ok(stage)
    }

    /// Lets customers come to both HAProxies.
    pub(crate) fn open(&self) -> Result<Customers> {
        let doors = self
            .balancers
            .iter()
            .map(|one| one.layout.customers)
            .collect();
        Customers::start(Load::through(doors))
    }
}

/// Builds the binary `shop` and returns its path, beside this program.
async fn shop_program() -> Result<PathBuf> {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let build = Command::new(cargo)
        .args([
            "build",
            "--quiet",
            "--package",
            "poolshift-tests",
            "--bin",
            "shop",
        ])
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .status();
    let status = timeout(BUILD, build)
        .await
        .context("building the shop takes too long")?
        .context("cannot run cargo")?;
    ensure!(status.success(), "the shop does not build");
    let own = env::current_exe().context("cannot find my own program")?;
    let program = own.with_file_name("shop");
    ensure!(
        program.is_file(),
        "{} is missing: run this with cargo xtask",
        program.display()
    );
    Ok(program)
}
