//! What a backend's lines say of its servers.

use std::collections::{BTreeMap, BTreeSet};

use crate::haproxy::address::address;
use crate::haproxy::config::{Config, Kind, Line};
use crate::haproxy::keywords::takes_value;

/// The most servers that one template makes.
const TEMPLATE_MOST: usize = 1_000;

/// A backend, or a `listen`, with its servers.
#[derive(Debug, Clone, Default)]
pub(crate) struct Pool {
    pub(crate) name: String,
    /// Where it stands; as text, for a running one has no file.
    pub(crate) place: String,
    pub(crate) is_listen: bool,
    pub(crate) is_http: bool,
    /// What pins customers to a server, and where that stands.
    pub(crate) pins: Option<String>,
    pub(crate) check: Option<HttpCheck>,
    pub(crate) servers: Vec<Server>,
    /// Whether it takes its servers' states from the state file of `global`.
    pub(crate) loads_state: bool,
    /// Servers that a `use-server` line leads to, with the whole condition.
    pub(crate) ways: BTreeMap<String, String>,
    /// Response headers that it sets, in lower case.
    pub(crate) headers: BTreeSet<String>,
}

/// A health check over HTTP.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct HttpCheck {
    pub(crate) path: Option<String>,
    pub(crate) status: Option<u16>,
    pub(crate) place: String,
}

/// A server line.
#[derive(Debug, Clone)]
pub(crate) struct Server {
    pub(crate) name: String,
    /// Or why it has none.
    pub(crate) address: Result<String, &'static str>,
    pub(crate) place: String,
    /// The backend and server whose check it follows.
    pub(crate) track: Option<(String, String)>,
    pub(crate) is_disabled: bool,
    pub(crate) is_backup: bool,
}

/// Every backend and `listen` of a configuration.
pub(crate) fn pools(config: &Config) -> Vec<Pool> {
    let sections = config.sections.iter().enumerate();
    let pools = sections.filter(|(_, one)| matches!(one.kind, Kind::Backend | Kind::Listen));
    let read = pools.map(|(at, section)| {
        let mut pool = Pool {
            name: section.name.clone(),
            place: section.place.to_string(),
            is_listen: section.kind == Kind::Listen,
            ..Pool::default()
        };
        let mut common = Vec::new();
        for line in config.lines(at) {
            pool.take(line, &mut common);
        }
        pool
    });
    read.collect()
}

impl Pool {
    /// Its server of this name.
    pub(crate) fn server(&self, name: &str) -> Option<&Server> {
        self.servers.iter().find(|server| server.name == name)
    }

    /// Takes a line; `common` is what `default-server` has said so far.
    fn take(&mut self, line: &Line, common: &mut Vec<String>) {
        match line.word(0) {
            "mode" => self.is_http = line.word(1) == "http",
            "cookie" | "appsession" | "stick" => self.pin(line),
            "option" if line.word(1) == "httpchk" => self.httpchk(line),
            "http-check" => self.http_check(line),
            "load-server-state-from-file" => self.loads_state = line.word(1) == "global",
            "use-server" => {
                let way = line.words.get(2..).unwrap_or_default().join(" ");
                self.ways.insert(line.word(1).to_owned(), way);
            }
            "http-response" if matches!(line.word(1), "set-header" | "add-header") => {
                self.headers.insert(line.word(2).to_ascii_lowercase());
            }
            "default-server" => {
                let words = line.words.get(1..).unwrap_or_default();
                common.extend_from_slice(words);
            }
            "server" => {
                let words = line.words.get(3..).unwrap_or_default();
                let server = self.server_of(line, line.word(1), common, words);
                self.servers.push(server);
            }
            "server-template" => self.template(line, common),
            _ => {}
        }
    }

    fn pin(&mut self, line: &Line) {
        let words: Vec<&str> = line.words.iter().map(String::as_str).take(3).collect();
        self.pins = Some(format!("{}: `{}`", line.place, words.join(" ")));
    }

    /// `option httpchk [METHOD] URI [VERSION]`, or only `option httpchk`.
    fn httpchk(&mut self, line: &Line) {
        let words = line.words.get(2..).unwrap_or_default();
        let path = words.iter().find(|word| word.starts_with('/'));
        self.check = Some(HttpCheck {
            path: path.cloned(),
            status: None,
            place: line.place.to_string(),
        });
    }

    fn http_check(&mut self, line: &Line) {
        let Some(check) = &mut self.check else {
            return;
        };
        let behind = |begin: &[&str], word: &str| {
            let words = line.after(begin)?;
            let at = words.iter().position(|one| one == word)?;
            words.get(at + 1)
        };
        if let Some(path) = behind(&["http-check", "send"], "uri") {
            check.path = Some(path.clone());
        }
        if let Some(status) = behind(&["http-check", "expect"], "status") {
            check.status = status.parse().ok();
        }
    }

    /// `server-template PREFIX COUNT|FIRST-LAST ADDRESS`: servers that HAProxy finds by name.
    fn template(&mut self, line: &Line, common: &[String]) {
        let number = |text: &str| text.parse::<u32>().unwrap_or(0);
        let (first, last) = match line.word(2).split_once('-') {
            Some((first, last)) => (number(first), number(last)),
            None => (1, number(line.word(2))),
        };
        for at in (first..=last).take(TEMPLATE_MOST) {
            let name = format!("{}{at}", line.word(1));
            let words = line.words.get(4..).unwrap_or_default();
            let mut server = self.server_of(line, &name, common, words);
            server.address = Err("one of many behind one name");
            self.servers.push(server);
        }
    }

    fn server_of(&self, line: &Line, name: &str, common: &[String], own: &[String]) -> Server {
        let mut server = Server {
            name: name.to_owned(),
            address: address(line.word(2)),
            place: line.place.to_string(),
            track: None,
            is_disabled: false,
            is_backup: false,
        };
        let mut words = common.iter().chain(own);
        while let Some(word) = words.next() {
            match word.as_str() {
                "disabled" => server.is_disabled = true,
                "enabled" => server.is_disabled = false,
                "backup" => server.is_backup = true,
                "no-backup" => server.is_backup = false,
                "track" => {
                    server.track = words.next().map(|followed| {
                        let own = (self.name.as_str(), followed.as_str());
                        let (backend, name) = followed.split_once('/').unwrap_or(own);
                        (backend.to_owned(), name.to_owned())
                    });
                }
                other if takes_value(other) => drop(words.next()),
                _ => {}
            }
        }
        server
    }
}
