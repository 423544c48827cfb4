//! Building for Windows.

use super::needs::{CARGO, RUSTC, compiler};
use crate::part::pass;
use anyhow::{Result, ensure};
use std::path::PathBuf;
use tokio::process::Command;

const TARGET: &str = "x86_64-pc-windows-gnu";
/// So that it does not fight the build for this machine, by another compiler, over files and locks.
const FOLDER: &str = "target/windows";
/// See the workspace's manifest.
const PROFILE: &str = "windows";

/// Looks the agent through as for Windows, with all lints; builds nothing that runs.
pub(crate) async fn check() -> Result<()> {
    compiler().await?;
    let mut command = cargo("check", PROFILE);
    command
        .args(["--features", "wine", "-Zwarnings"])
        // Flags for the compiler would have the build after this begin anew.
        .env("CARGO_BUILD_WARNINGS", "deny");
    pass(&mut command).await
}

/// Builds the agent; gives its program. Without `release` the tests' own programs come along.
pub(super) async fn build(release: bool) -> Result<PathBuf> {
    let profile = if release { "release" } else { PROFILE };
    let mut command = cargo("build", profile);
    if !release {
        command.args(["--features", "wine"]);
    }
    pass(&mut command).await?;
    let program = folder(profile).join("poolshift-agent.exe");
    ensure!(program.is_file(), "cargo built no {}", program.display());
    Ok(program)
}

/// Where the tests find the programs.
pub(super) fn programs() -> PathBuf {
    folder(PROFILE)
}

fn folder(profile: &str) -> PathBuf {
    crate::part::root().join(FOLDER).join(TARGET).join(profile)
}

fn cargo(verb: &str, profile: &str) -> Command {
    let mut command = Command::new(CARGO);
    command
        .args([
            verb,
            "--quiet",
            "--locked",
            "--package",
            "poolshift-agent",
            "--bins",
        ])
        .args(["--profile", profile, "--target", TARGET])
        // The standard library has to be of the compiler's own version: so it is built too.
        .arg("-Zbuild-std=std,panic_abort,panic_unwind")
        .current_dir(crate::part::root())
        .env_remove("RUSTUP_TOOLCHAIN")
        .env("RUSTC_BOOTSTRAP", "1")
        .env("RUSTC", RUSTC)
        .env("CARGO_TARGET_DIR", FOLDER)
        .env(
            "CARGO_TARGET_X86_64_PC_WINDOWS_GNU_LINKER",
            "x86_64-w64-mingw32-gcc",
        )
        .env("CC_x86_64_pc_windows_gnu", "x86_64-w64-mingw32-gcc")
        .env("AR_x86_64_pc_windows_gnu", "x86_64-w64-mingw32-ar")
        .kill_on_drop(true);
    command
}
