//! Wine, as the tests need it.

use super::cross::programs;
use super::needs::{WINE, WINESERVER};
use crate::part::{pass, root};
use anyhow::{Context, Result, ensure};
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;
use tokio::process::Command;
use tokio::time::timeout;

/// The feature that has the tests built: without wine they could only fail.
pub(crate) const FEATURE: &str = "poolshift-agent/wine";

const MAKE: Duration = Duration::from_secs(120);
const END: Duration = Duration::from_secs(10);
/// Wine 8.0 has no `bcryptprimitives.dll`; the standard library of Rust takes its randomness from
/// it since 1.78, and a program without it ends at once with code 53. Windows has it.
const SHIM: &str = "xtask/src/windows/bcryptprimitives.c";
const SHIM_TO: &str = "drive_c/windows/system32/bcryptprimitives.dll";

/// Variables by which the tests find all they need.
pub(crate) fn stage() -> [(&'static str, PathBuf); 6] {
    [
        ("POOLSHIFT_WINE", WINE.into()),
        ("POOLSHIFT_WINDOWS_PROGRAMS", programs()),
        ("WINEPREFIX", prefix()),
        ("WINEDEBUG", "-all".into()),
        ("WINEDLLOVERRIDES", "mscoree=;mshtml=".into()),
        ("WINEARCH", "win64".into()),
    ]
}

/// Makes wine's own disk once, with the library that wine lacks.
pub(super) async fn make_prefix() -> Result<()> {
    if prefix().join(SHIM_TO).is_file() {
        return Ok(());
    }
    println!("making wine's disk in {}", prefix().display());
    std::fs::create_dir_all(prefix()).context("make a folder for wine")?;
    let mut boot = Command::new(WINE);
    boot.args(["wineboot", "--init"])
        .envs(stage())
        .env_remove("DISPLAY")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true);
    timeout(MAKE, pass(&mut boot))
        .await
        .context("wine does not come up")??;
    let mut compile = Command::new("x86_64-w64-mingw32-gcc");
    compile
        .args(["-shared", "-O2", "-s", "-o"])
        .arg(prefix().join(SHIM_TO))
        .arg(root().join(SHIM))
        .arg("-ladvapi32");
    pass(&mut compile).await?;
    ensure!(
        prefix().join(SHIM_TO).is_file(),
        "the library that wine lacks is not there"
    );
    Ok(())
}

/// Ends what still runs on that disk, the services included. Nothing is left of the tests.
pub(super) async fn end() {
    let mut kill = Command::new(WINESERVER);
    kill.arg("-k").envs(stage()).kill_on_drop(true);
    let _ended = timeout(END, kill.status()).await;
}

fn prefix() -> PathBuf {
    root().join("target/wine")
}
