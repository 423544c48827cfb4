//! `[check]`: when a server counts as healthy.

use events::Probe;

use super::defaults::{
    CHECK_IN_A_ROW, CHECK_INTERVAL_MS, CHECK_PROBE_TIMEOUT_MS, CHECK_STATUS, CHECK_TIMEOUT_MS,
};
use super::entry::CheckRule;
use super::forms;
use super::net;
use super::page::shown;
use super::section::Section;
use super::units::duration_text;
use super::value::{Least, Value};

/// Stands for the expected version in the texts of probes.
pub const VERSION_HOLE: &str = "{version}";
/// Stands for the server's own `host:port`: all that the address of a TCP probe is, and allowed
/// in the arguments of a probing command.
pub const ADDRESS_HOLE: &str = "{address}";

/// `[check]`.
pub(super) fn check(section: &Section<'_>) -> Option<CheckRule> {
    let found = section.found();
    let http = section.maybe("http").map(|value| http(&value));
    let tcp = section
        .maybe("tcp")
        .and_then(|value| value.flag())
        .unwrap_or_default();
    let command = section.maybe("command").map(|value| value.argv());
    let in_a_row = section.whole("in_a_row", CHECK_IN_A_ROW, (1, 1_000));
    let interval_ms = section.duration_ms("interval", CHECK_INTERVAL_MS, Least::Pace);
    let timeout_ms = section.duration_ms("timeout", CHECK_TIMEOUT_MS, Least::Deadline);
    let probe_timeout_ms =
        section.duration_ms("probe_timeout", CHECK_PROBE_TIMEOUT_MS, Least::Pace);

    let mut probes = Vec::new();
    if let Some(http) = http {
        probes.push(http?);
    }
    if tcp {
        probes.push(Probe::Tcp {
            address: ADDRESS_HOLE.to_owned(),
        });
    }
    if let Some(argv) = command {
        probes.push(Probe::Command { argv: argv? });
    }
    let rule = CheckRule {
        probes,
        in_a_row,
        interval_ms,
        probe_timeout_ms,
        timeout_ms,
    };
    if section.found() == found {
        refuse_blind(section, &rule);
        refuse_endless(section, &rule);
    }
    Some(rule)
}

fn http(value: &Value<'_>) -> Option<Probe> {
    let section = value.section(&forms::HTTP)?;
    let path = section
        .need("path")
        .and_then(|value| net::path(&value).map(str::to_owned));
    let status = section.whole("status", CHECK_STATUS.into(), (100, 599));
    let body = section
        .maybe("body")
        .and_then(|value| value.text())
        .map(str::to_owned);
    let header = section.maybe("header").map(|value| header(&value));
    let header = match header {
        Some(header) => Some(header?),
        None => None,
    };
    Some(Probe::Http {
        path: path?,
        status: u16::try_from(status).unwrap_or(CHECK_STATUS),
        body,
        header,
    })
}

fn header(value: &Value<'_>) -> Option<(String, String)> {
    let section = value.section(&forms::HEADER)?;
    let name = section.need("name").and_then(|value| {
        let name = value.text()?;
        let token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
        if !name.bytes().all(token) {
            let what = format!("`{}` is not the name of an HTTP header", shown(name));
            value.refuse(
                what,
                "write it without spaces and colon, such as \"x-version\"",
            );
            return None;
        }
        Some(name.to_ascii_lowercase())
    });
    let text = section
        .need("value")
        .and_then(|value| value.text())
        .map(str::to_owned);
    Some((name?, text?))
}

/// Refuses probes that would also pass on the version before.
fn refuse_blind(section: &Section<'_>, rule: &CheckRule) {
    let says_version = |probe: &Probe| match probe {
        Probe::Http { body, header, .. } => {
            let header = header.as_ref().map(|(_, text)| text);
            body.iter()
                .chain(header)
                .any(|text| text.contains(VERSION_HOLE))
        }
        Probe::Tcp { .. } => false,
        Probe::Command { argv } => argv.iter().any(|text| text.contains(VERSION_HOLE)),
    };
    if rule.probes.is_empty() {
        section.refuse(
            "nothing is probed",
            "add http = { path = \"/health\", status = 200, body = \"{version}\" }",
        );
    } else if !rule.probes.iter().any(says_version) {
        let at = section.maybe("http").map_or(section.at, |value| value.at);
        section.refuse_at(
            at,
            "no probe asks for {version}: nothing would prove which version answered",
            "add body = \"{version}\" to `http`, or \"{version}\" to the arguments of `command`",
        );
    }
}

/// Refuses a check that cannot pass within its own time.
fn refuse_endless(section: &Section<'_>, rule: &CheckRule) {
    let rounds_ms = u64::from(rule.in_a_row.saturating_sub(1)).saturating_mul(rule.interval_ms);
    let written = ["in_a_row", "interval", "timeout"].map(|name| section.maybe(name));
    let at = written
        .into_iter()
        .flatten()
        .map(|value| value.at)
        .max()
        .unwrap_or(section.at);
    if rounds_ms >= rule.timeout_ms {
        section.refuse_at(
            at,
            format!(
                "{} good rounds, {} apart, do not fit into {}",
                rule.in_a_row,
                duration_text(rule.interval_ms),
                duration_text(rule.timeout_ms)
            ),
            format!("write a `timeout` above \"{}\"", duration_text(rounds_ms)),
        );
    }
    if rule.probe_timeout_ms > rule.timeout_ms {
        let at = section.maybe("probe_timeout").map_or(at, |value| value.at);
        section.refuse_at(
            at,
            "one probe may take longer than the whole check",
            format!("write at most \"{}\"", duration_text(rule.timeout_ms)),
        );
    }
}
