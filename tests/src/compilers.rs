//! What building Poolshift needs beside Rust: Kafka's client is C and stands on OpenSSL and zlib.

use crate::apt;
use anyhow::Result;
use std::path::Path;
use std::process::Stdio;
use tokio::process::Command;

/// A program that is run, and its package.
const PROGRAMS: [(&str, &str); 4] = [
    ("cc", "gcc"),
    ("c++", "g++"),
    ("make", "make"),
    ("pkg-config", "pkg-config"),
];

/// A file that is included, and its package.
const HEADERS: [(&str, &str); 2] = [
    ("/usr/include/openssl/ssl.h", "libssl-dev"),
    ("/usr/include/zlib.h", "zlib1g-dev"),
];

/// Installs with apt what is missing, and says so on stderr.
///
/// # Errors
/// When it cannot be installed.
pub async fn ensure_installed() -> Result<()> {
    let mut missing = Vec::new();
    for (program, package) in PROGRAMS {
        let mut command = Command::new(program);
        command
            .arg("--version")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        if command.status().await.is_err() {
            missing.push(package);
        }
    }
    let headers = HEADERS.iter().filter(|(file, _)| !Path::new(file).exists());
    missing.extend(headers.map(|(_, package)| package));
    if missing.is_empty() {
        return Ok(());
    }
    apt::install_all(&missing).await
}
