//! The fleet as it really is: servers and HAProxies, whatever anybody believes of them.

use std::collections::{BTreeMap, BTreeSet};

use events::{BalancerName, Release, ServerName};
use lb_controller::{Admin, Observed, Process, Row, Saved};

/// HAProxy backend that customers reach.
pub(crate) const ONLINE: &str = "shop";
/// HAProxy backend that testers reach.
pub(crate) const MAINTENANCE: &str = "shop_maintenance";

/// One server process.
#[derive(Debug, Clone)]
pub(crate) struct Host {
    pub(crate) runs: Release,
    /// It died by itself.
    pub(crate) dead: bool,
    /// It is being restarted.
    pub(crate) restarting: bool,
    /// Its version is not healthy.
    pub(crate) sick: bool,
    /// An install was started and has not since passed tests and then a check.
    pub(crate) tainted: bool,
    /// Tests have passed since that install.
    pub(crate) tested: bool,
}

impl Host {
    pub(crate) const fn is_up(&self) -> bool {
        !self.dead && !self.restarting && !self.sick
    }
}

/// One server's lines in one HAProxy.
#[derive(Debug, Clone)]
pub(crate) struct Line {
    pub(crate) online: Admin,
    pub(crate) maintenance: Admin,
    pub(crate) running: u32,
    pub(crate) requests: u64,
    /// A person put it online by hand.
    pub(crate) by_hand: bool,
    /// A person took it out by hand.
    pub(crate) hand_drained: bool,
    /// A person has ever drained it by hand.
    pub(crate) touched: bool,
    /// The controller took it out while that left fewer than the floor, and has not undone it.
    pub(crate) below_floor: bool,
}

impl Line {
    const fn fresh() -> Self {
        Self {
            online: Admin::Ready,
            maintenance: Admin::Maint,
            running: 0,
            requests: 0,
            by_hand: false,
            hand_drained: false,
            touched: false,
            below_floor: false,
        }
    }
}

/// One HAProxy: what it forgets, what its state file brings back.
#[derive(Debug, Clone)]
pub(crate) struct Haproxy {
    pub(crate) name: BalancerName,
    pub(crate) pid: u32,
    pub(crate) reachable: bool,
    pub(crate) lines: BTreeMap<ServerName, Line>,
    /// What is on disk.
    pub(crate) state_file: Saved,
    /// What the controller believes is on disk; another thing only when a rule is broken.
    pub(crate) believed_file: Saved,
    /// Whose drain in that file is a person's.
    hands: BTreeSet<ServerName>,
}

impl Haproxy {
    pub(crate) fn new(name: BalancerName, servers: &[ServerName]) -> Self {
        let lines = servers
            .iter()
            .map(|server| (server.clone(), Line::fresh()))
            .collect();
        Self {
            name,
            pid: 100,
            reachable: true,
            lines,
            state_file: Saved::new(),
            believed_file: Saved::new(),
            hands: BTreeSet::new(),
        }
    }

    /// What the admin socket says.
    pub(crate) fn observe(&self, hosts: &BTreeMap<ServerName, Host>) -> Observed {
        let mut rows = BTreeMap::new();
        for (server, line) in &self.lines {
            let up = hosts.get(server).is_some_and(Host::is_up);
            for (backend, admin) in [(ONLINE, line.online), (MAINTENANCE, line.maintenance)] {
                let is_online = backend == ONLINE;
                let row = row(
                    admin,
                    up,
                    if is_online { line.running } else { 0 },
                    line.requests,
                );
                rows.insert((backend.to_owned(), server.to_string()), row);
            }
        }
        let process = Process {
            pid: self.pid,
            version: "2.6.12".to_owned(),
            uptime_ms: 1_000_000,
        };
        Observed { process, rows }
    }

    /// A number that is another one, in all likelihood, when [`Self::observe`] says something else.
    pub(crate) fn print(&self, hosts: &BTreeMap<ServerName, Host>) -> u64 {
        let mut print = u64::from(self.pid) << 1 | u64::from(self.reachable);
        let mut mix = |number: u64| {
            print = (print ^ number)
                .wrapping_mul(0x0100_0000_01b3)
                .rotate_left(23);
        };
        for (server, line) in &self.lines {
            let up = hosts.get(server).is_some_and(Host::is_up);
            mix(u64::from(up) | (line.online as u64) << 1 | (line.maintenance as u64) << 3);
            mix(u64::from(line.running) << 32 | line.requests);
        }
        print
    }

    /// Servers that customers' requests may go to now.
    pub(crate) fn serving<'a>(
        &'a self,
        hosts: &'a BTreeMap<ServerName, Host>,
    ) -> impl Iterator<Item = &'a ServerName> {
        self.lines
            .iter()
            .filter(|(server, line)| {
                line.online == Admin::Ready && hosts.get(*server).is_some_and(Host::is_up)
            })
            .map(|(server, _)| server)
    }

    /// What `show servers state` would write.
    pub(crate) fn dump(&self) -> Saved {
        let mut saved = Saved::new();
        for (server, line) in &self.lines {
            saved.insert((ONLINE.to_owned(), server.to_string()), line.online);
            saved.insert(
                (MAINTENANCE.to_owned(), server.to_string()),
                line.maintenance,
            );
        }
        saved
    }

    /// A look has seen enough of them UP: what was below the floor is not any more.
    pub(crate) fn forgive(&mut self, hosts: &BTreeMap<ServerName, Host>, floor: usize) {
        let is_below = |line: &Line| line.below_floor;
        if self.lines.values().any(is_below) && self.serving(hosts).count() >= floor {
            for line in self.lines.values_mut() {
                line.below_floor = false;
            }
        }
    }

    /// Remembers which drains of the file just written are a person's.
    pub(crate) fn save_hands(&mut self) {
        let drained = self.lines.iter().filter(|(_, line)| line.hand_drained);
        self.hands = drained.map(|(server, _)| server.clone()).collect();
    }

    /// It crashed, and a new one starts: it knows what its state file says, or nothing.
    pub(crate) fn restart(&mut self, loads_state: bool) {
        self.pid += 1;
        for (server, line) in &mut self.lines {
            let by_hand = line.by_hand;
            let touched = line.touched;
            let hand_drained = line.hand_drained || self.hands.contains(server);
            *line = Line::fresh();
            line.touched = touched;
            if !loads_state {
                continue;
            }
            let saved = |backend: &str| {
                self.state_file
                    .get(&(backend.to_owned(), server.to_string()))
                    .copied()
            };
            line.online = saved(ONLINE).unwrap_or(line.online);
            line.maintenance = saved(MAINTENANCE).unwrap_or(line.maintenance);
            line.by_hand = by_hand;
            line.hand_drained = hand_drained && line.online != Admin::Ready;
        }
    }
}

fn row(admin: Admin, up: bool, running: u32, requests: u64) -> Row {
    let status = match (admin, up) {
        (Admin::Maint, _) => "MAINT",
        (_, false) => "DOWN",
        (Admin::Drain, true) => "DRAIN",
        (Admin::Ready, true) => "UP",
    };
    Row {
        admin,
        status: status.to_owned(),
        checked_up: up && admin != Admin::Maint,
        running,
        queued: 0,
        requests,
        unchanged_ms: 1_000,
        text: status.to_owned(),
    }
}
