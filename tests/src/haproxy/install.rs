//! Getting HAProxy onto the machine.

use crate::apt;
use anyhow::{Context, Result, ensure};
use tokio::process::Command;

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
    apt::install("haproxy").await
}
