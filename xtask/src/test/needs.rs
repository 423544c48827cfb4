//! What the tests need of the machine.

use anyhow::Result;

/// Installs what is missing, and says so.
pub(crate) async fn install() -> Result<()> {
    tests::compilers::ensure_installed().await?;
    let version = tests::haproxy::ensure_installed().await?;
    println!("HAProxy {version}");
    let jars = tests::kafka::ensure_installed().await?;
    println!("Kafka {}", jars.version());
    Ok(())
}
