//! What one lb-controller is told at its start.

use std::path::PathBuf;

use anyhow::{Result, ensure};
use events::BalancerName;
use serde::Deserialize;

use crate::socket::AdminSocket;

/// Settings of the lb-controller beside one HAProxy.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// The balancer's name, as catalogue entries call it. No default.
    pub name: BalancerName,
    /// HAProxy's `stats socket .. level admin`: the path of a Unix socket, or `ipv4@HOST:PORT`, for
    /// which see [`Settings::insecure_socket`]. No default.
    pub admin_socket: PathBuf,
    /// Whether `admin_socket` may be a TCP address that other machines reach. HAProxy asks nobody who
    /// they are and encrypts nothing there: whoever reaches it owns the pools. Default: no.
    #[serde(default)]
    pub insecure_socket: bool,
    /// The file that HAProxy's `server-state-file` names. Written after each change. No default.
    pub state_file: PathBuf,
    /// Where our marks lie: what we took out, and for which command. Default: beside the state file,
    /// with `.poolshift-marks` at its end.
    #[serde(default)]
    pub marks_file: Option<PathBuf>,
    /// Locked while we run, so that there is one lb-controller for each HAProxy. Default: beside the
    /// admin socket (one over TCP: beside the state file), with `.poolshift-lock` at its end.
    #[serde(default)]
    pub lock_file: Option<PathBuf>,
}

impl Settings {
    /// Where HAProxy takes our commands.
    #[must_use]
    pub fn socket(&self) -> AdminSocket {
        AdminSocket::from(self.admin_socket.as_path())
    }

    /// Refuses a socket that anybody may use, unless that is wanted.
    ///
    /// # Errors
    /// When `admin_socket` is a TCP address off loopback and `insecure_socket` is not set.
    pub fn check(&self) -> Result<()> {
        let socket = self.socket();
        ensure!(
            self.insecure_socket || socket.is_local(),
            "`admin_socket` of {} is {socket}, which whoever reaches it may use: `ssl` does not help \
             there. Let HAProxy listen on a Unix socket and run this beside it, or write \
             insecure_socket = true",
            self.name
        );
        Ok(())
    }

    pub(crate) fn marks_path(&self) -> PathBuf {
        let beside = || with_end(&self.state_file, ".poolshift-marks");
        self.marks_file.clone().unwrap_or_else(beside)
    }

    pub(crate) fn lock_path(&self) -> PathBuf {
        let beside = || match self.socket() {
            AdminSocket::Unix(path) => with_end(&path, ".poolshift-lock"),
            AdminSocket::Tcp(_) => with_end(&self.state_file, ".poolshift-lock"),
        };
        self.lock_file.clone().unwrap_or_else(beside)
    }
}

pub(crate) fn with_end(path: &std::path::Path, end: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(end);
    PathBuf::from(name)
}
