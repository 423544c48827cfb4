//! HAProxy as the facts say it is, small enough to walk through: a restart forgets, or loads its
//! state file; `ready` is UP at once where the check is good.

use std::collections::BTreeMap;

use poolshift_lb_controller::{Admin, Observed, Process, Row, Saved};

pub(crate) const LINES: [&str; 4] = ["web1", "web2", "web3", "web4"];
pub(crate) const ONLINE: &str = "shop";
pub(crate) const MAINTENANCE: &str = "shop_maintenance";

#[derive(Debug, Clone)]
pub(crate) struct Haproxy {
    pid: u32,
    admin: Saved,
    /// By line: whether its check is good.
    pub(crate) healthy: BTreeMap<&'static str, bool>,
    /// By line: requests that run there, and that were ever sent there.
    pub(crate) running: BTreeMap<&'static str, u32>,
    requests: BTreeMap<&'static str, u64>,
}

impl Haproxy {
    pub(crate) fn start() -> Self {
        let mut haproxy = Self {
            pid: 0,
            admin: Saved::new(),
            healthy: LINES.map(|line| (line, true)).into(),
            running: BTreeMap::new(),
            requests: BTreeMap::new(),
        };
        haproxy.restart(None);
        haproxy
    }

    pub(crate) fn restart(&mut self, saved: Option<&Saved>) {
        self.pid += 1;
        for line in LINES {
            for (backend, configured) in [(ONLINE, Admin::Ready), (MAINTENANCE, Admin::Maint)] {
                let place = (backend.to_owned(), line.to_owned());
                let loaded = saved.and_then(|saved| saved.get(&place)).copied();
                self.admin.insert(place, loaded.unwrap_or(configured));
            }
        }
        self.running = LINES.map(|line| (line, 0)).into();
        self.requests = LINES.map(|line| (line, 0)).into();
    }

    pub(crate) fn set(&mut self, backend: &str, line: &str, to: Admin) {
        self.admin.insert((backend.to_owned(), line.to_owned()), to);
    }

    pub(crate) fn admin(&self, backend: &str, line: &str) -> Admin {
        self.admin[&(backend.to_owned(), line.to_owned())]
    }

    pub(crate) fn is_up(&self, line: &str) -> bool {
        self.healthy[line] && self.admin(ONLINE, line) == Admin::Ready
    }

    pub(crate) fn count_up(&self) -> usize {
        LINES.iter().filter(|line| self.is_up(line)).count()
    }

    /// Customers come, each to a server that may serve them.
    pub(crate) fn visit(&mut self, line: &'static str, count: u32) {
        if self.is_up(line) {
            *self.running.get_mut(line).unwrap() += count;
            *self.requests.get_mut(line).unwrap() += u64::from(count);
        }
    }

    pub(crate) fn finish(&mut self, line: &'static str) {
        self.running.insert(line, 0);
    }

    pub(crate) fn save(&self) -> Saved {
        self.admin.clone()
    }

    pub(crate) fn observe(&self) -> Observed {
        let process = Process {
            pid: self.pid,
            version: "2.6.12".to_owned(),
            uptime_ms: 0,
        };
        let mut rows = BTreeMap::new();
        for ((backend, line), admin) in &self.admin {
            let (line, healthy) = self.healthy.get_key_value(line.as_str()).unwrap();
            let status = match admin {
                Admin::Maint => "MAINT",
                Admin::Drain if *healthy => "DRAIN",
                Admin::Ready if *healthy => "UP",
                Admin::Drain | Admin::Ready => "DOWN",
            };
            let is_online = backend == ONLINE;
            let row = Row {
                admin: *admin,
                status: status.to_owned(),
                checked_up: *healthy && *admin != Admin::Maint,
                running: if is_online { self.running[line] } else { 0 },
                queued: 0,
                requests: if is_online { self.requests[line] } else { 0 },
                unchanged_ms: 0,
                text: String::new(),
            };
            rows.insert((backend.clone(), (*line).to_owned()), row);
        }
        Observed { process, rows }
    }
}
