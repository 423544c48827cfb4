//! What the tests need of the machine. A C compiler needs no look: Rust would not have linked us.

use anyhow::Result;

/// Installs what is missing, and says so.
pub(crate) async fn install() -> Result<()> {
    let version = tests::haproxy::ensure_installed().await?;
    println!("HAProxy {version}");
    Ok(())
}
