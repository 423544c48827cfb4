//! The state file: what keeps a server out when HAProxy starts anew.

use std::fs::{self, File};
use std::path::Path;

use lb_controller::Settings;

use crate::doctor::Findings;

/// Whether lb-controller can write it, and HAProxy read it.
pub(super) fn folder(settings: &Settings, place: &str, found: &mut Findings) {
    let path = &settings.state_file;
    if let Err(error) = try_folder(path) {
        found.add(
            "state-file-folder",
            place,
            format!("{} cannot be written: {error}", path.display()),
            "let the user of `poolshift serve` write in its folder: a drain is reported only when it \
             is in the state file",
        );
    }
    // HAProxy calls one without a newline at its end corrupt (haproxy-ingress issue 1404).
    let text = fs::read(path).unwrap_or_default();
    if !text.is_empty() && !text.ends_with(b"\n") {
        found.add(
            "state-file-broken",
            place,
            format!(
                "{} has no newline at its end: HAProxy takes nothing from it",
                path.display()
            ),
            "save it anew: echo 'show servers state' | socat - UNIX-CONNECT:SOCKET",
        );
    }
}

/// As lb-controller does it: a new file beside the old one.
fn try_folder(path: &Path) -> std::io::Result<()> {
    if path.is_dir() {
        return Err(std::io::ErrorKind::IsADirectory.into());
    }
    let mut name = path.as_os_str().to_owned();
    name.push(".poolshift-doctor");
    File::create(Path::new(&name))?;
    fs::remove_file(Path::new(&name))
}
