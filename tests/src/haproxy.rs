//! A real HAProxy before the shop, with the pools that Poolshift needs.

mod install;
mod process;
mod relay;

pub use install::ensure_installed;
pub use process::Haproxy;
pub use relay::Relay;

use crate::fleet::Server;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

/// Response header with the server that HAProxy asked.
pub const ANSWERED_BY: &str = "x-poolshift-answered-by";

/// Request header that leads a tester to one server.
pub const SERVER_HEADER: &str = "x-poolshift-server";

/// What one HAProxy is to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    /// The balancer's name, `lb1`.
    pub name: String,
    /// Where its files lie: configuration, admin socket, saved state, log.
    pub folder: PathBuf,
    /// The door of the customers.
    pub customers: SocketAddr,
    /// The door of the testers.
    pub testers: SocketAddr,
    /// What the backends are named after: `shop`, `shop_maintenance`, `shop_probe`.
    pub service: String,
    /// The servers' short names and addresses.
    pub servers: Vec<(String, SocketAddr)>,
    /// Whether it loads its saved state at start: without, a restart puts every server back online.
    pub loads_state: bool,
    /// What somebody changed by hand: each first text by its second, in the whole configuration.
    pub edits: Vec<(String, String)>,
}

impl Layout {
    /// A balancer of these servers, with its files in `root/NAME`.
    #[must_use]
    pub fn new(name: &str, root: &Path, doors: [u16; 2], servers: &[Server]) -> Self {
        let [customers, testers] = doors.map(|port| SocketAddr::from(([127, 0, 0, 1], port)));
        Self {
            name: name.to_owned(),
            folder: root.join(name),
            customers,
            testers,
            service: "shop".to_owned(),
            servers: servers
                .iter()
                .map(|one| (one.name.clone(), one.address))
                .collect(),
            loads_state: true,
            edits: vec![],
        }
    }

    /// The Unix socket for commands.
    #[must_use]
    pub fn admin_socket(&self) -> PathBuf {
        self.folder.join("admin.sock")
    }

    /// The Unix socket for those who only read.
    #[must_use]
    pub fn stats_socket(&self) -> PathBuf {
        self.folder.join("stats.sock")
    }

    /// The file from which it takes the servers' state at start.
    #[must_use]
    pub fn state_file(&self) -> PathBuf {
        self.folder.join("servers.state")
    }

    /// The whole configuration.
    #[must_use]
    pub fn config(&self) -> String {
        let written = [
            self.settings(),
            self.doors(),
            self.probe(),
            self.online(),
            self.maintenance(),
        ]
        .join("\n");
        let edits = self.edits.iter();
        edits.fold(written, |text, (from, to)| text.replace(from, to))
    }

    fn settings(&self) -> String {
        let load = if self.loads_state {
            "    load-server-state-from-file global\n"
        } else {
            ""
        };
        format!(
            "global
    # Two of them share a small machine with eight servers and their customers.
    nbthread 1
    maxconn 4000
    # An old worker waits for idle customers after a reload, but not for ever.
    hard-stop-after 60s
    stats socket {} mode 600 level admin expose-fd listeners
    stats socket {} mode 600 level user
    server-state-file {}

defaults
    mode http
    timeout connect 2s
    timeout client 30s
    timeout server 30s
    timeout http-keep-alive 30s
    option redispatch
    # Else a reload closes idle connections just as a customer's order comes in on one.
    option idle-close-on-response
{load}",
            self.admin_socket().display(),
            self.stats_socket().display(),
            self.state_file().display(),
        )
    }

    fn doors(&self) -> String {
        let Self {
            service,
            customers,
            testers,
            ..
        } = self;
        format!(
            "frontend {service}_doors
    bind {customers}
    bind {testers}
    http-response set-header {ANSWERED_BY} %s
    use_backend {service}_maintenance if {{ dst_port {} }}
    default_backend {service}
",
            testers.port(),
        )
    }

    fn probe(&self) -> String {
        let check = "    option httpchk GET /health\n    http-check expect status 200\n";
        let lines = self.each(|name, address| {
            format!("    server {name} {address} check inter 250ms fall 2 rise 1\n")
        });
        format!("backend {}_probe\n{check}{lines}", self.service)
    }

    fn online(&self) -> String {
        let service = &self.service;
        let lines = self.each(|name, address| {
            format!("    server {name} {address} track {service}_probe/{name}\n")
        });
        format!("backend {service}\n{lines}")
    }

    fn maintenance(&self) -> String {
        let service = &self.service;
        let ways = self.each(|name, _| {
            format!("    use-server {name} if {{ req.hdr({SERVER_HEADER}) -m str {name} }}\n")
        });
        let lines = self.each(|name, address| {
            format!("    server {name} {address} track {service}_probe/{name} disabled\n")
        });
        format!("backend {service}_maintenance\n{ways}{lines}")
    }

    fn each(&self, line: impl Fn(&str, SocketAddr) -> String) -> String {
        self.servers
            .iter()
            .map(|(name, address)| line(name, *address))
            .collect()
    }
}
