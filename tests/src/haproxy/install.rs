//! Getting HAProxy onto the machine.

use anyhow::{Context, Result, bail, ensure};
use std::process::Stdio;
use std::time::Duration;
use tokio::process::Command;
use tokio::time::timeout;

const DOWNLOAD: Duration = Duration::from_secs(300);

/// The oldest version whose commands Poolshift knows.
const OLDEST: (u32, u32) = (2, 6);

/// Installs HAProxy with apt if it is missing, as root or by sudo, and says so on stderr. Returns
/// its version, `2.6.12-1`.
///
/// # Errors
/// When it cannot be installed, or is older than 2.6.
pub async fn ensure_installed() -> Result<String> {
    let version = match version().await {
        Some(version) => version,
        None => {
            install().await?;
            version()
                .await
                .context("haproxy was installed, but does not run")?
        }
    };
    ensure!(
        number(&version) >= Some(OLDEST),
        "HAProxy {version} is too old: install 2.6 or later"
    );
    Ok(version)
}

async fn version() -> Option<String> {
    let output = Command::new("haproxy").arg("-v").output().await.ok()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.split_whitespace()
        .skip_while(|word| *word != "version")
        .nth(1)
        .map(|word| word.split('+').next().unwrap_or(word).to_owned())
}

fn number(version: &str) -> Option<(u32, u32)> {
    let mut parts = version.split('.').map(str::parse);
    Some((parts.next()?.ok()?, parts.next()?.ok()?))
}

async fn install() -> Result<()> {
    eprintln!("HAProxy is missing; installing the package haproxy with apt-get");
    let wanted = ["install", "-y", "--no-install-recommends", "haproxy"];
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
        .with_context(|| format!("cannot run `{line}`: install HAProxy 2.6 or later by hand"))?;
    if !status.success() {
        bail!("`{line}` failed ({status}): install HAProxy 2.6 or later by hand");
    }
    Ok(())
}
