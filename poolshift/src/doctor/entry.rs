//! The service file against what Poolshift goes by.

use rollout::catalogue::NoWayBack;

use crate::doctor::{Findings, Patient};

pub(super) fn check(patient: &Patient<'_>, found: &mut Findings) {
    let entry = patient.entry;
    let file = patient.file.path.display().to_string();
    let folder = patient.file.path.parent();
    let apply = format!(
        "run `poolshift apply {}`",
        folder.unwrap_or(&patient.file.path).display()
    );
    let Some(view) = patient.view else {
        let what = format!("{} is not in the catalogue that counts", entry.target);
        found.add("not-applied", file, what, apply);
        return;
    };
    if view.entry_sha256 != patient.file.sha256() {
        let what = "another text of this file counts";
        found.add("not-applied", file, what, apply);
    }
    if entry.rollout.no_way_back == NoWayBack::Allow {
        return;
    }
    for server in view.servers.iter().filter(|server| server.proven.is_none()) {
        found.add(
            "unknown-version",
            format!("server {}", server.name),
            "nobody knows which version runs there, so there would be no way back",
            format!(
                "run `poolshift adopt {} {} VERSION --sha256 DIGEST`",
                entry.target, server.name
            ),
        );
    }
}
