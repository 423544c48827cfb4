//! What only HAProxy's configuration shows, read from the files that the running process was given.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use lb_controller::{ANSWERED_BY_HEADER, AdminSocket, SERVER_HEADER, Settings};

use crate::doctor::pools::is_ip;
use crate::doctor::{Findings, Patient};
use crate::haproxy::{self, Config, Kind, Pool, Running};

pub(super) fn check(
    patient: &Patient<'_>,
    settings: &Settings,
    running: &Running,
    place: &str,
    found: &mut Findings,
) {
    let config = match files(running.pid).and_then(|files| {
        haproxy::read(&files).map_err(|failure| failure.to_string().replace('\n', ";"))
    }) {
        Ok(config) => config,
        Err(why) => {
            found.skip(place, format!("HAProxy's configuration: {why}"));
            return;
        }
    };
    sockets(&config, place, found);
    state_file(&config, settings, place, found);
    let pools = haproxy::pools(&config);
    let pool = |name: &str| pools.iter().find(|pool| pool.name == name);
    let entry = patient.entry;
    for name in [&entry.online, &entry.maintenance, &entry.probe] {
        if let Some(pool) = pool(name).filter(|pool| !pool.loads_state) {
            let what = format!(
                "backend `{name}` ({}) does not load the state file",
                pool.place
            );
            let mend = "write `load-server-state-from-file global` into it: else a restart of HAProxy \
                        puts a server online that was taken out";
            found.add("state-file-loaded", place, what, mend);
        }
    }
    for name in [&entry.online, &entry.maintenance, &entry.probe] {
        if let (Some(written), Some(runs)) = (pool(name), running.pool(name)) {
            addresses(patient, written, runs, place, found);
        }
    }
    if let Some(maintenance) = pool(&entry.maintenance) {
        ways(patient, maintenance, place, found);
        answered_by(&config, maintenance, place, found);
    }
}

/// The `-f` of the process, as it sees them.
fn files(pid: u32) -> Result<Vec<PathBuf>, String> {
    let process = PathBuf::from(format!("/proc/{pid}"));
    let name = std::fs::read_to_string(process.join("comm")).unwrap_or_default();
    let is_haproxy = name.trim() == "haproxy";
    let words = std::fs::read(process.join("cmdline"))
        .ok()
        .filter(|_| is_haproxy)
        .ok_or_else(|| format!("process {pid} is not seen from here"))?;
    let words: Vec<String> = words
        .split(|byte| *byte == 0)
        .map(|word| String::from_utf8_lossy(word).into_owned())
        .collect();
    let folder = std::fs::read_link(process.join("cwd")).unwrap_or_default();
    let mut files: Vec<PathBuf> = Vec::new();
    let mut all = words.iter();
    while let Some(word) = all.next() {
        match word.as_str() {
            "-f" => files.extend(all.next().map(|file| folder.join(file))),
            "--" => files.extend(
                all.by_ref()
                    .filter(|file| !file.is_empty())
                    .map(|file| folder.join(file)),
            ),
            other => files.extend(other.strip_prefix("-f").map(|file| folder.join(file))),
        }
    }
    if files.is_empty() {
        return Err(format!("process {pid} names no file"));
    }
    Ok(files)
}

fn sockets(config: &Config, place: &str, found: &mut Findings) {
    for line in config.global() {
        let Some(words) = line.after(&["stats", "socket"]) else {
            continue;
        };
        let address = words.first().map_or("", String::as_str);
        let socket = match address {
            file if file.starts_with('/') || file.contains('@') => AdminSocket::of(file),
            bare => AdminSocket::Tcp(bare.to_owned()),
        };
        let here = format!("{place}, {}", line.place);
        let level = words.iter().position(|word| word == "level");
        let level = level
            .and_then(|at| words.get(at + 1))
            .map_or("operator", String::as_str);
        if !socket.is_local() && level != "user" {
            found.add(
                "open-stats-socket",
                &here,
                format!("whoever reaches {address} has `level {level}`: HAProxy asks nobody who they are"),
                "make it a Unix socket, bind it to 127.0.0.1, or write `level user`",
            );
        }
        if words.iter().any(|word| word == "ssl") {
            found.add(
                "ssl-socket",
                &here,
                format!(
                    "`ssl` on `stats socket {address}` is taken, and then plain text is spoken"
                ),
                "remove `ssl`, and use a Unix socket, or a tunnel before one on 127.0.0.1",
            );
        }
    }
}

fn state_file(config: &Config, settings: &Settings, place: &str, found: &mut Findings) {
    let value = |name: &str| {
        let mut lines = config.global();
        lines.find_map(|line| line.after(&[name])?.first().cloned())
    };
    let base = value("server-state-base").unwrap_or_default();
    let wanted = settings.state_file.display();
    let Some(file) = value("server-state-file") else {
        found.add(
            "state-file-setting",
            place,
            "`global` names no `server-state-file`",
            format!("write `server-state-file {wanted}` into `global`"),
        );
        return;
    };
    if Path::new(&base).join(&file) != settings.state_file {
        found.add(
            "state-file-setting",
            place,
            format!("HAProxy reads {file}, but lb-controller writes {wanted}"),
            "name the same file in `server-state-file` and in `state_file` of [[lb_controller]]",
        );
    }
}

/// The state file keeps an address over another one in the configuration (tried on HAProxy 2.6.12).
fn addresses(
    patient: &Patient<'_>,
    written: &Pool,
    runs: &Pool,
    place: &str,
    found: &mut Findings,
) {
    for rule in &patient.entry.servers {
        let address = |pool: &Pool| pool.server(rule.name.as_str())?.address.clone().ok();
        let Some(other) = address(written).filter(|other| *other != rule.address) else {
            continue;
        };
        if address(runs).as_ref() == Some(&rule.address) && is_ip(&rule.address) {
            let line = written.server(rule.name.as_str());
            let line = line.map_or("", |line| line.place.as_str());
            found.add(
                "address",
                format!("{place}, {line}"),
                format!(
                    "`{}/{}` is written as {other}, but {} in the service file; only the state file \
                     keeps that one",
                    written.name, rule.name, rule.address
                ),
                "write the same address in both: else another server is tested than installed",
            );
        }
    }
}

fn ways(patient: &Patient<'_>, maintenance: &Pool, place: &str, found: &mut Findings) {
    let name = &maintenance.name;
    for rule in &patient.entry.servers {
        let server = rule.name.as_str();
        let way = maintenance.ways.get(server);
        if !way.is_some_and(|way| way.contains(SERVER_HEADER) && way.contains(server)) {
            found.add(
                "use-server",
                place,
                format!("no way leads a tester to `{name}/{server}`"),
                format!(
                    "write `use-server {server} if {{ req.hdr({SERVER_HEADER}) -m str {server} }}` into \
                     backend {name}"
                ),
            );
        }
        if maintenance
            .server(server)
            .is_some_and(|line| !line.is_disabled)
        {
            found.add(
                "disabled",
                place,
                format!("`{name}/{server}` is in the maintenance pool from HAProxy's start"),
                "write `disabled` on its line: only a server that was taken out belongs there",
            );
        }
    }
}

/// The name of whom HAProxy asked, on the testers' way: there, or in a frontend that leads there.
fn answered_by(config: &Config, maintenance: &Pool, place: &str, found: &mut Findings) {
    let leads = |at: usize| {
        let lines = config.lines(at);
        let to = |word: &str| {
            let mut lines = lines.iter();
            lines.any(|line| line.word(0) == word && line.word(1) == maintenance.name)
        };
        let names = |line: &&haproxy::Line| {
            line.word(0) == "http-response" && line.word(2).eq_ignore_ascii_case(ANSWERED_BY_HEADER)
        };
        (
            to("default_backend") || to("use_backend"),
            lines.iter().any(names),
        )
    };
    let fronts = config.sections.iter().enumerate();
    let fronts = fronts.filter(|(_, one)| matches!(one.kind, Kind::Frontend | Kind::Listen));
    let silent: BTreeSet<&str> = fronts
        .filter(|(at, _)| leads(*at) == (true, false))
        .map(|(_, section)| section.name.as_str())
        .collect();
    if maintenance.headers.contains(ANSWERED_BY_HEADER) || silent.is_empty() {
        return;
    }
    let silent: Vec<&str> = silent.into_iter().collect();
    found.add(
        "answered-by",
        place,
        format!("testers who come through {} are not told who answered", silent.join(", ")),
        format!("write `http-response set-header {ANSWERED_BY_HEADER} %s` there: no check passes without it"),
    );
}
