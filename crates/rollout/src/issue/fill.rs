//! What a probe expects, for one version and one server.

use events::{Probe, Release};

use crate::catalogue::{ADDRESS_HOLE, VERSION_HOLE};

/// The probe with its holes filled in.
pub(super) fn filled(probe: &Probe, release: &Release, address: &str) -> Probe {
    let fill = |text: &String| {
        text.replace(VERSION_HOLE, release.version.as_str())
            .replace(ADDRESS_HOLE, address)
    };
    match probe {
        Probe::Http {
            path,
            status,
            body,
            header,
        } => Probe::Http {
            path: fill(path),
            status: *status,
            body: body.as_ref().map(fill),
            header: header
                .as_ref()
                .map(|(name, value)| (name.clone(), fill(value))),
        },
        Probe::Tcp { address } => Probe::Tcp {
            address: address.clone(),
        },
        Probe::Command { argv } => Probe::Command {
            argv: argv.iter().map(fill).collect(),
        },
    }
}
