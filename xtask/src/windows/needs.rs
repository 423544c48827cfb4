//! What building for Windows and running it here need of the machine.

use super::is_there;
use anyhow::Result;
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
    apt::install(
        "a compiler for Windows",
        &[
            "rustc-web",
            "cargo-web",
            "rust-web-src",
            "gcc-mingw-w64-x86-64",
        ],
        "install rustc and cargo 1.95 or later with the sources of their standard library, and \
         gcc for x86_64-w64-mingw32, into /usr",
    )
    .await
}

/// Installs wine, where it is missing.
pub(super) async fn wine() -> Result<()> {
    if is_there(WINE) {
        return Ok(());
    }
    apt::install(
        "wine",
        &["wine64"],
        "install wine 8 or later, 64 bits, by hand",
    )
    .await
}
