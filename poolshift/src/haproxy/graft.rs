//! Puts a target's pools into a configuration that serves it already: what stands there stays as
//! it is written, but for the backend's server lines and checks.

use std::fmt::Write as _;

use lb_controller::{ANSWERED_BY_HEADER, AdminSocket, HaproxyPools, SERVER_HEADER};

use crate::failure::Failure;
use crate::haproxy::config::{Config, Kind, Line, Section};
use crate::haproxy::keywords::{CHECK_FLAGS, CHECK_VALUES, takes_value};
use crate::haproxy::pool::pools;
use crate::haproxy::words::{Piece, pieces};

/// Gives the whole text of `file` with the pools in it.
///
/// # Errors
/// When its backend is not there, lacks a server, is a `listen`, or has its pools already.
pub(crate) fn graft(file: &str, text: &str, wanted: &HaproxyPools<'_>) -> Result<String, Failure> {
    let mut config = Config::default();
    config.add(file, text)?;
    let at = find(file, &config, wanted)?;
    let there = pools(&config);
    let there = there.iter().find(|pool| pool.name == wanted.online);
    let lacks = |name: &&String| there.is_none_or(|pool| pool.server(name).is_none());
    if let Some(server) = wanted.servers.iter().map(|(name, _)| name).find(lacks) {
        let what = format!(
            "backend `{}` of {file} has no server `{server}`",
            wanted.online
        );
        return Err(
            Failure::refused(what).mend("write the same servers into both, under the same names")
        );
    }
    let graft = Graft::new(text, &config, at, wanted);
    let lines: Vec<&str> = text.lines().collect();
    let (first, end) = graft.range;
    let before = lines.get(..first).unwrap_or_default();
    let after = lines.get(end..).unwrap_or_default();
    let mut whole = with_global(before, &config, wanted);
    whole += &graft.online();
    whole += "\n";
    whole += &graft.maintenance();
    whole += "\n";
    whole += &graft.probe();
    whole += "\n";
    whole += &testers(wanted, &testers_from(&config, at, wanted.online));
    if after.first().is_some_and(|line| !line.trim().is_empty()) {
        whole += "\n";
    }
    for line in after {
        whole += line;
        whole += "\n";
    }
    Ok(whole)
}

fn find(file: &str, config: &Config, wanted: &HaproxyPools<'_>) -> Result<usize, Failure> {
    let named = |name: &str| {
        let is_it =
            |one: &Section| one.name == name && matches!(one.kind, Kind::Backend | Kind::Listen);
        config.sections.iter().position(is_it)
    };
    let probe = probe_of(wanted);
    for name in [wanted.maintenance, &probe] {
        if let Some(section) = named(name).and_then(|at| config.sections.get(at)) {
            let what = format!("{}: backend `{name}` is there already", section.place);
            return Err(Failure::refused(what)
                .mend("nothing is to be done: `poolshift doctor` says whether it is right"));
        }
    }
    let online = wanted.online;
    let at = named(online).ok_or_else(|| {
        Failure::refused(format!("{file} has no backend `{online}`")).mend(
            "name the file that has it, or write `online` into the service file as it is there",
        )
    })?;
    match config.sections.get(at) {
        Some(section) if section.kind == Kind::Listen => {
            let what = format!("{}: `{online}` is a `listen`", section.place);
            Err(Failure::refused(what).mend(
                "make a frontend and a backend of it: testers need a way of their own to the servers",
            ))
        }
        Some(_) | None => Ok(at),
    }
}

fn probe_of(wanted: &HaproxyPools<'_>) -> String {
    format!("{}_probe", wanted.online)
}

/// The lines before the backend, with what `global` lacks.
fn with_global(before: &[&str], config: &Config, wanted: &HaproxyPools<'_>) -> String {
    let has_admin = config.global().any(|line| {
        line.after(&["stats", "socket"]).is_some_and(|words| {
            let is_admin = words.windows(2).any(|pair| pair == ["level", "admin"]);
            let address = words.first().map_or("", String::as_str);
            is_admin && matches!(AdminSocket::of(address), AdminSocket::Unix(_))
        })
    });
    let has_state = config
        .global()
        .any(|line| line.word(0) == "server-state-file");
    let mut lacking = String::new();
    if !has_admin {
        let socket = wanted.admin_socket.display();
        lacking += &format!("    stats socket {socket} mode 600 level admin expose-fd listeners\n");
    }
    if !has_state {
        lacking += &format!("    server-state-file {}\n", wanted.state_file.display());
    }
    let global = config.sections.iter().find(|one| one.kind == Kind::Global);
    let global = global.map_or(0, |section| section.place.line);
    let mut text = String::new();
    if global == 0 && !lacking.is_empty() {
        // Writing into a string cannot fail.
        writeln!(text, "global\n{lacking}").unwrap_or_default();
    }
    for (at, line) in before.iter().enumerate() {
        text += line;
        text += "\n";
        if at + 1 == global {
            text += &lacking;
        }
    }
    text
}

/// ` from NAME` for the testers' frontend: as the customers' one has it. A frontend may not share a
/// `defaults` that holds rules with a backend (tried on HAProxy 2.6.12).
fn testers_from(config: &Config, backend: usize, online: &str) -> String {
    let leads = |at: usize| {
        let leads = ["default_backend", "use_backend"];
        let mut lines = config.lines(at).into_iter();
        lines.any(|line| leads.contains(&line.word(0)) && line.word(1) == online)
    };
    let mut sections = config.sections.iter().enumerate();
    let of_customers = sections
        .find(|(at, one)| one.kind == Kind::Frontend && leads(*at))
        .and_then(|(_, one)| one.from.clone());
    let own = || config.sections.get(backend)?.from.clone();
    let has_rules = |name: &String| {
        let rules = |line: &Line| {
            let first = line.word(0);
            first.starts_with("tcp-re") || (first.starts_with("http-") && first != "http-check")
        };
        let mut sections = config.sections.iter();
        sections.any(|one| {
            one.kind == Kind::Defaults && one.name == *name && one.lines.iter().any(rules)
        })
    };
    let from = of_customers.or_else(|| own().filter(|name| !has_rules(name)));
    from.map_or(String::new(), |name| format!(" from {name}"))
}

fn testers(wanted: &HaproxyPools<'_>, from: &str) -> String {
    format!(
        "# The testers' door; customers must not be able to reach it.\nfrontend {}_testers{from}\n    mode http\n    \
         bind {}\n    timeout client 60s\n    http-response set-header {ANSWERED_BY_HEADER} %s\n    \
         default_backend {}\n",
        wanted.online, wanted.testers, wanted.maintenance
    )
}

/// The backend as it is written.
struct Graft<'a> {
    /// Its lines in the file, from 0, the end not included.
    range: (usize, usize),
    lines: Vec<Row<'a>>,
    wanted: &'a HaproxyPools<'a>,
    /// ` from NAME`, when the backend names its `defaults`; others must not be taken instead.
    from: String,
    loads_state: bool,
    has_httpchk: bool,
    /// What `default-server` says of all servers.
    common: Vec<String>,
}

/// A line of the backend.
struct Row<'a> {
    text: &'a str,
    pieces: Vec<Piece<'a>>,
}

/// What belongs to one server of the whole configuration and must not be said of a second one.
const UNIQUE: [&str; 2] = ["id", "guid"];

impl<'a> Graft<'a> {
    fn new(text: &'a str, config: &Config, at: usize, wanted: &'a HaproxyPools<'a>) -> Self {
        let line_of = |at: usize| config.sections.get(at).map(|one| one.place.line - 1);
        let first = line_of(at).unwrap_or(0);
        let all: Vec<&str> = text.lines().collect();
        let mut end = line_of(at + 1).unwrap_or(all.len());
        // What stands above the next section belongs to it.
        while end > first + 1
            && all
                .get(end - 1)
                .is_some_and(|line| line.trim().is_empty() || line.trim().starts_with('#'))
        {
            end -= 1;
        }
        let pool = pools(config)
            .into_iter()
            .find(|pool| pool.name == wanted.online);
        let variable = |name: &str| config.variable(name);
        let row = |text: &&'a str| Row {
            text,
            // The whole file has been read already: its lines are good.
            pieces: pieces(text, &variable).unwrap_or_default(),
        };
        let common = config.lines(at).into_iter();
        let common = common.filter(|line| line.word(0) == "default-server");
        let from = config.sections.get(at).and_then(|one| one.from.as_ref());
        Self {
            range: (first, end),
            lines: all
                .get(first..end)
                .unwrap_or_default()
                .iter()
                .map(row)
                .collect(),
            wanted,
            from: from.map_or(String::new(), |name| format!(" from {name}")),
            loads_state: pool.as_ref().is_some_and(|pool| pool.loads_state),
            has_httpchk: pool.is_some_and(|pool| pool.check.is_some()),
            common: common.flat_map(|line| line.words.clone()).collect(),
        }
    }

    fn online(&self) -> String {
        let mut text = String::new();
        for (at, line) in self.lines.iter().enumerate() {
            if line.is_check() {
                continue;
            }
            text += &self.known(line).map_or_else(
                || format!("{}\n", line.text),
                |server| format!("{}\n", self.following(line, server, &[], &[])),
            );
            if at == 0 {
                text += self.loading();
            }
        }
        text
    }

    fn maintenance(&self) -> String {
        let mut text = format!(
            "# What only testers reach; one server by its name.\nbackend {}{}\n{}",
            self.wanted.maintenance,
            self.from,
            self.loading()
        );
        for (server, _) in self.wanted.servers {
            let way = format!(
                "    use-server {server} if {{ req.hdr({SERVER_HEADER}) -m str {server} }}\n"
            );
            text += &way;
        }
        let of_customers = ["cookie", "stick", "stick-table", "use-server"];
        for line in self.lines.iter().skip(1) {
            let first = line.word(0);
            if line.is_check() || of_customers.contains(&first) || UNIQUE.contains(&first) {
                continue;
            }
            match (self.known(line), first) {
                (Some(server), _) => {
                    let values = ["cookie", "weight"].into_iter().chain(UNIQUE);
                    let values: Vec<&str> = values.collect();
                    let line = self.following(line, server, &["disabled", "backup"], &values);
                    text += &format!("{line} disabled\n");
                }
                // One that is not rolled out.
                (None, "server" | "server-template") => {}
                (None, _) => text += &format!("{}\n", line.text),
            }
        }
        text
    }

    fn probe(&self) -> String {
        let mut text = format!(
            "# Owns the checks: both pools follow it.\nbackend {}{}\n{}",
            probe_of(self.wanted),
            self.from,
            "    load-server-state-from-file global\n"
        );
        if !self.has_httpchk {
            let path = self.wanted.check_path;
            text += &format!("    option httpchk GET {path}\n    http-check expect status 200\n");
        }
        let values = ["cookie", "weight", "track"].into_iter().chain(UNIQUE);
        let values: Vec<&str> = values.collect();
        // A server that is out here would be out in both pools.
        let is_out = self.common.iter().any(|word| word == "disabled");
        let enabled = if is_out { " enabled" } else { "" };
        for line in self.lines.iter().skip(1) {
            let first = line.word(0);
            if let Some(server) = self.known(line) {
                let words = line.without(&["disabled", "backup"], &values);
                let check = if line.has("check") { "" } else { " check" };
                text += &format!("    server {server} {words}{check}{enabled}\n");
            } else if line.is_check() || ["mode", "timeout", "default-server"].contains(&first) {
                text += &format!("{}\n", line.text);
            }
        }
        text
    }

    const fn loading(&self) -> &'static str {
        if self.loads_state {
            ""
        } else {
            "    load-server-state-from-file global\n"
        }
    }

    /// The server of the target that a line is about.
    fn known(&self, line: &Row<'_>) -> Option<&'a str> {
        let name = line.word(1);
        let mut servers = self.wanted.servers.iter();
        let known = servers.find(|(server, _)| line.word(0) == "server" && server == name);
        known.map(|(server, _)| server.as_str())
    }

    /// A server line that follows the probe.
    fn following(&self, line: &Row<'_>, server: &str, flags: &[&str], values: &[&str]) -> String {
        let flags: Vec<&str> = CHECK_FLAGS.iter().chain(flags).copied().collect();
        let values: Vec<&str> = CHECK_VALUES.iter().chain(values).copied().collect();
        let words = line.without(&flags, &values);
        let no_check = if self.common.iter().any(|word| word == "check") {
            " no-check"
        } else {
            ""
        };
        let probe = probe_of(self.wanted);
        format!("    server {server} {words}{no_check} track {probe}/{server}")
    }
}

impl Row<'_> {
    fn word(&self, at: usize) -> &str {
        self.pieces.get(at).map_or("", |piece| &piece.word)
    }

    fn is_check(&self) -> bool {
        self.word(0) == "http-check" || (self.word(0), self.word(1)) == ("option", "httpchk")
    }

    /// Whether this stands behind the address of a server line, and not as another word's value.
    fn has(&self, wanted: &str) -> bool {
        let mut words = self.pieces.iter().skip(3).map(|piece| &piece.word);
        while let Some(word) = words.next() {
            if word == wanted {
                return true;
            }
            if takes_value(word) {
                words.next();
            }
        }
        false
    }

    /// The words behind a server's name as they are written, but for these, and these with their
    /// values.
    fn without(&self, flags: &[&str], values: &[&str]) -> String {
        let mut pieces = self.pieces.iter().skip(2);
        let mut kept: Vec<&str> = pieces
            .next()
            .map(|address| address.written)
            .into_iter()
            .collect();
        while let Some(piece) = pieces.next() {
            let word = piece.word.as_str();
            let value = if takes_value(word) || values.contains(&word) {
                pieces.next()
            } else {
                None
            };
            if !values.contains(&word) && !flags.contains(&word) {
                kept.push(piece.written);
                kept.extend(value.map(|value| value.written));
            }
        }
        kept.join(" ")
    }
}
