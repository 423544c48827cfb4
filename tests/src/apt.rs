//! Getting packages onto the machine.

use anyhow::{Context, Result, bail};
use std::process::Stdio;
use std::time::Duration;
use tokio::process::Command;
use tokio::time::timeout;

const DOWNLOAD: Duration = Duration::from_secs(600);

/// Installs a package with apt, as root or by sudo, and says so on stderr.
///
/// # Errors
/// When it cannot be installed.
pub async fn install(package: &str) -> Result<()> {
    install_all(&[package]).await
}

/// Installs packages that belong together, as [`install`] does.
///
/// # Errors
/// When they cannot be installed.
pub async fn install_all(packages: &[&str]) -> Result<()> {
    let list = packages.join(" ");
    eprintln!("missing, and installed with apt-get: {list}");
    let mut wanted = vec!["install", "-y", "--no-install-recommends"];
    wanted.extend(packages);
    if apt(&wanted).await.is_err() {
        // A fresh machine does not know its packages yet.
        apt(&["update"]).await?;
        apt(&wanted).await?;
    }
    Ok(())
}

async fn apt(args: &[&str]) -> Result<()> {
    let mut words = vec!["apt-get"];
    if !rustix::process::geteuid().is_root() {
        words = vec!["sudo", "-n", "apt-get"];
    }
    words.extend(args);
    let line = words.join(" ");
    let mut command = Command::new(words[0]);
    command
        .args(&words[1..])
        .env("DEBIAN_FRONTEND", "noninteractive")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .kill_on_drop(true);
    let status = timeout(DOWNLOAD, command.status())
        .await
        .with_context(|| format!("`{line}` did not end in {} s", DOWNLOAD.as_secs()))?
        .with_context(|| format!("cannot run `{line}`: install it by hand"))?;
    if !status.success() {
        bail!("`{line}` failed ({status}): install it by hand");
    }
    Ok(())
}
