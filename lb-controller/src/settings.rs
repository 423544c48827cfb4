//! What one lb-controller is told at its start.

use std::path::PathBuf;

use events::BalancerName;
use serde::Deserialize;

/// Settings of the lb-controller beside one HAProxy.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// The balancer's name, as catalogue entries call it. No default.
    pub name: BalancerName,
    /// HAProxy's `stats socket .. level admin`: a Unix socket, for over TCP anybody may use it. No
    /// default.
    pub admin_socket: PathBuf,
    /// The file that HAProxy's `server-state-file` names. Written after each change. No default.
    pub state_file: PathBuf,
    /// Where our marks lie: what we took out, and for which command. Default: beside the state file,
    /// with `.poolshift-marks` at its end.
    #[serde(default)]
    pub marks_file: Option<PathBuf>,
    /// Locked while we run, so that there is one lb-controller for each HAProxy. Default: beside the
    /// admin socket, with `.poolshift-lock` at its end.
    #[serde(default)]
    pub lock_file: Option<PathBuf>,
}

impl Settings {
    pub(crate) fn marks_path(&self) -> PathBuf {
        let beside = || with_end(&self.state_file, ".poolshift-marks");
        self.marks_file.clone().unwrap_or_else(beside)
    }

    pub(crate) fn lock_path(&self) -> PathBuf {
        let beside = || with_end(&self.admin_socket, ".poolshift-lock");
        self.lock_file.clone().unwrap_or_else(beside)
    }
}

pub(crate) fn with_end(path: &std::path::Path, end: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(end);
    PathBuf::from(name)
}
