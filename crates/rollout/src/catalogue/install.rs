//! `[install]`: how a version gets onto a machine.

use events::{InstallKind, ServerName};

use super::defaults::{INSTALL_KEEP, INSTALL_TIMEOUT_MS};
use super::entry::{InstallRule, ProveRule};
use super::forms;
use super::net;
use super::page::shown;
use super::section::Section;
use super::value::{Least, Value};

/// Stands for the server's name in `into` and in the arguments of `command`, `stop`, `restart` and
/// `prove`, so that one machine can run several servers of a service.
pub const SERVER_HOLE: &str = "{server}";

impl InstallRule {
    /// As it is for one server: [`SERVER_HOLE`] filled in.
    #[must_use]
    pub fn on(&self, server: &ServerName) -> Self {
        let fill = |text: &String| text.replace(SERVER_HOLE, server.as_str());
        let prove = match &self.prove {
            ProveRule::Http(path) => ProveRule::Http(path.clone()),
            ProveRule::Command(argv) => ProveRule::Command(argv.iter().map(fill).collect()),
        };
        Self {
            into: fill(&self.into),
            argv: self.argv.iter().map(fill).collect(),
            stop: self.stop.iter().map(fill).collect(),
            restart: self.restart.iter().map(fill).collect(),
            prove,
            ..self.clone()
        }
    }
}

/// Kinds that later steps build.
const LATER: [&str; 1] = ["puppet"];

/// `[install]`.
pub(super) fn install(section: &Section<'_>) -> Option<InstallRule> {
    let method = section.need("kind").and_then(|value| method(&value));
    let into = section.need("into").and_then(|value| folder(&value));
    let argv = argv(section, method.as_ref());
    let stop = section
        .maybe("stop")
        .map_or(Some(Vec::new()), |value| value.argv());
    let restart = if method == Some(InstallKind::Command) {
        section
            .maybe("restart")
            .map_or(Some(Vec::new()), |value| value.argv())
    } else {
        section.need("restart").and_then(|value| value.argv())
    };
    let prove = section.need("prove").and_then(|value| prove(&value));
    let timeout_ms = section.duration_ms("timeout", INSTALL_TIMEOUT_MS, Least::Deadline);
    let keep = section.maybe("keep").and_then(|value| keep(&value));
    Some(InstallRule {
        method: method?,
        into: into?,
        argv: argv?,
        stop: stop?,
        restart: restart?,
        prove: prove?,
        timeout_ms,
        keep: keep.unwrap_or(INSTALL_KEEP),
    })
}

fn method(value: &Value<'_>) -> Option<InstallKind> {
    if let Some(later) = value.as_text().filter(|text| LATER.contains(text)) {
        value.refuse(
            format!("`kind = \"{later}\"` is not supported yet"),
            "write \"command\" and run it by command = [..], or write \"archive\"",
        );
        return None;
    }
    value.choice(&[
        ("archive", InstallKind::Archive),
        ("command", InstallKind::Command),
    ])
}

fn argv(section: &Section<'_>, method: Option<&InstallKind>) -> Option<Vec<String>> {
    if method == Some(&InstallKind::Command) {
        return section.need("command")?.argv();
    }
    if let (Some(value), Some(_)) = (section.maybe("command"), method) {
        value.refuse(
            "`command` is the service's own installer, but `kind` is \"archive\"",
            "write kind = \"command\", or remove `command`",
        );
    }
    Some(Vec::new())
}

fn keep(value: &Value<'_>) -> Option<u32> {
    if value.as_whole().is_some_and(|keep| keep < 2) {
        value.refuse(
            "`keep` leaves no release to go back to",
            "write at least 2: a rollback takes the former release from the machine's own disk",
        );
        return None;
    }
    value.whole((2, 100))
}

fn prove(value: &Value<'_>) -> Option<ProveRule> {
    let section = value.section(&forms::PROVE)?;
    match (section.maybe("http"), section.maybe("command")) {
        (Some(http), None) => {
            let path = net::path(&http)?;
            if path.contains('{') {
                http.refuse(
                    "nothing is filled in in the path that tells what runs",
                    format!("write {}", http.example()),
                );
                return None;
            }
            Some(ProveRule::Http(path.to_owned()))
        }
        (None, Some(command)) => Some(ProveRule::Command(command.argv()?)),
        (Some(_), Some(_)) => {
            value.refuse("`prove` has two ways", "keep `http` or `command`");
            None
        }
        (None, None) => {
            value.refuse(
                "`prove` has no way to learn what runs",
                format!("write {}", value.example()),
            );
            None
        }
    }
}

/// The service's own folder, absolute on Linux or on Windows.
fn folder(value: &Value<'_>) -> Option<String> {
    let text = value.text()?;
    let mut letters = text.chars();
    let drive = letters
        .next()
        .is_some_and(|letter| letter.is_ascii_alphabetic())
        && letters.next() == Some(':');
    let below = match text.strip_prefix('/') {
        Some(below) => Some(below),
        None if drive => text
            .get(2..)
            .and_then(|rest| rest.strip_prefix(['\\', '/'])),
        None => None,
    };
    let steps = |below: &str| -> bool {
        let mut names = below
            .split(['/', '\\'])
            .filter(|name| !name.is_empty())
            .peekable();
        names.peek().is_some() && names.all(|name| name != ".." && name != ".")
    };
    if text.replace(SERVER_HOLE, "web1").contains(['{', '}']) {
        value.refuse(
            format!("nothing fills in `{}`", shown(text)),
            "write {server}: it is the only word that is filled in",
        );
        return None;
    }
    if below.is_some_and(steps) {
        return Some(text.to_owned());
    }
    value.refuse(
        format!("`{}` is not a folder of the service's own", shown(text)),
        "write it whole, without `..`, such as \"/srv/checkout\" or \"C:\\\\srv\\\\checkout\"",
    );
    None
}
