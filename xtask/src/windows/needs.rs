//! What building for Windows and running it here need of the machine.

use super::is_there;
use anyhow::{Context as _, Result};
use tests::apt;

/// Where Debian puts what belongs together.
pub(super) const RUSTC: &str = "/usr/bin/rustc";
pub(super) const CARGO: &str = "/usr/bin/cargo";
const STD: &str = "/usr/lib/rustlib/src/rust";
const LINKER: &str = "/usr/bin/x86_64-w64-mingw32-gcc";
/// Not in PATH.
pub(super) const WINE: &str = "/usr/lib/wine/wine64";
pub(super) const WINESERVER: &str = "/usr/lib/wine/wineserver64";

/// Installs the compiler, the standard library's sources and the linker, where they are missing.
pub(super) async fn compiler() -> Result<()> {
    let is_whole = [RUSTC, CARGO, STD, LINKER].into_iter().all(is_there);
    if is_whole {
        return Ok(());
    }
    apt::install_all(&[
        "rustc-web",
        "cargo-web",
        "rust-web-src",
        "gcc-mingw-w64-x86-64",
    ])
    .await
    .context("a compiler for Windows needs packages of Debian 12 or later")
}

/// Installs wine, where it is missing.
pub(super) async fn wine() -> Result<()> {
    if is_there(WINE) {
        return Ok(());
    }
    apt::install("wine64").await
}
