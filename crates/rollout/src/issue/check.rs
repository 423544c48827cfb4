//! What a check asks of one server.

use events::{Check, Expect, Release};

use super::fill::filled;
use super::{ANSWERED_BY_HEADER, PIN_HEADER};
use crate::catalogue::{CheckRule, Entry, ServerRule};

/// The check of a server that no load balancer is in front of, as a rollout asks it.
#[must_use]
pub fn direct_check(entry: &Entry, server: &ServerRule, release: &Release) -> Check {
    let itself = format!("http://{}", server.address);
    of(&entry.check, server, release, Some(itself))
}

/// `direct` is the server's own address, where no load balancer is in front.
pub(super) fn of(
    rule: &CheckRule,
    server: &ServerRule,
    release: &Release,
    direct: Option<String>,
) -> Check {
    let probes = rule.probes.iter();
    Check {
        header: PIN_HEADER.to_owned(),
        answered_by: ANSWERED_BY_HEADER.to_owned(),
        probes: probes
            .map(|probe| filled(probe, release, &server.address))
            .collect(),
        in_a_row: rule.in_a_row,
        interval_ms: rule.interval_ms,
        probe_timeout_ms: rule.probe_timeout_ms,
        expect: expect(server, release),
        direct,
    }
}

/// Who must answer, in what version.
pub(super) fn expect(server: &ServerRule, release: &Release) -> Expect {
    Expect {
        server: server.name.to_string(),
        version: Some(release.version.clone()),
    }
}
