//! What the health-checker makes of a watch: its own verdict, over counters of simulated customers and
//! probes of simulated servers.

use std::collections::BTreeMap;

use events::{
    Answer, BalancerName, Command, CommandRefused, RefusedBecause, Requests, ServerName, Watch,
    Work,
};
use health_checker::{Line, Reading, Reply, Stands, Window, remains_ms};
use lb_controller::Admin;

use crate::fleet::{Haproxy, Host};
use crate::scenario::{Flaw, server_at};
use crate::world::World;

/// Customers who come to each server through each HAProxy between two looks.
const CUSTOMERS: u64 = 500;

/// From one look to the next.
const PACE_MS: u64 = 1_000;

/// A watch that runs.
#[derive(Debug)]
pub(crate) struct Watching {
    command: Command,
    work: Watch,
    window: Window,
    counted: BTreeMap<(BalancerName, ServerName), (u32, Requests)>,
    /// In true time: its beginning, its next look, and its end.
    begun_ms: u64,
    pub(crate) next_ms: u64,
    until_ms: u64,
}

impl World {
    /// Begins a watch. One for which too little time is left is refused as late.
    pub(crate) fn begin_watch(&mut self, server: &ServerName, command: Command, work: Watch) {
        let left_ms = remains_ms(&command, self.wall());
        if left_ms < work.for_ms {
            self.verdict(late(&command));
            return;
        }
        let balancers = command.balancers.iter().map(|one| one.name.clone());
        let window = Window::new(work.clone(), command.line.clone(), balancers.collect());
        let watching = Watching {
            command,
            work,
            window,
            counted: BTreeMap::new(),
            begun_ms: self.now_ms,
            next_ms: self.now_ms,
            until_ms: self.now_ms + left_ms,
        };
        self.checker.watches.insert(server.clone(), watching);
    }

    /// Looks at a server that is watched, when its time has come.
    pub(crate) fn watch(&mut self, server: &ServerName) {
        let now_ms = self.now_ms;
        let watches = &mut self.checker.watches;
        let Some(mut watching) = watches.remove(server) else {
            return;
        };
        if watching.next_ms > now_ms {
            watches.insert(server.clone(), watching);
            return;
        }
        self.count(&mut watching);
        self.time(&mut watching);
        let elapsed_ms = now_ms.saturating_sub(watching.begun_ms);
        let is_over = now_ms >= watching.until_ms;
        if let Some(verdict) = watching.window.look(elapsed_ms, is_over) {
            let seen = watching.window.seen(elapsed_ms);
            self.verdict(verdict.answer(watching.command.id, seen));
            return;
        }
        watching.next_ms = now_ms + PACE_MS;
        self.checker.watches.insert(server.clone(), watching);
    }

    fn count(&self, watching: &mut Watching) {
        let peers = watching.work.peers.iter();
        let peers = peers.filter_map(|name| name.parse::<ServerName>().ok());
        let servers: Vec<_> = peers.chain([watching.command.server.clone()]).collect();
        for haproxy in &self.haproxies {
            if !haproxy.reachable {
                watching.window.miss(&haproxy.name, "it is away");
                continue;
            }
            let mut reading = Reading {
                process: haproxy.pid,
                lines: BTreeMap::new(),
            };
            for server in &servers {
                let Some(host) = self.hosts.get(server) else {
                    continue;
                };
                let stands = stands(haproxy, host, server);
                let place = (haproxy.name.clone(), server.clone());
                let (pid, counted) = watching.counted.entry(place).or_default();
                if *pid != haproxy.pid {
                    (*pid, *counted) = (haproxy.pid, Requests::default());
                }
                if stands == Stands::Up {
                    *counted = counted.plus(self.customers_of(host));
                }
                let counted = *counted;
                let line = Line { stands, counted };
                reading.lines.insert(server.to_string(), line);
            }
            watching.window.take(&haproxy.name, &reading);
        }
    }

    /// Sends the probes of one pace.
    fn time(&self, watching: &mut Watching) {
        let Some(rule) = &watching.work.response else {
            return;
        };
        for _ in 0..PACE_MS / rule.interval_ms.max(1) {
            if let Some(turn) = watching.window.turn() {
                let (server, peer) = turn.asked(rule);
                let (server, peer) = (self.reply(server), peer.map(|peer| self.reply(peer)));
                watching.window.replied(turn, server, peer);
            }
        }
    }

    /// At its own address, through no HAProxy.
    fn reply(&self, url: &str) -> Reply {
        let name = server_at(url);
        match name.and_then(|name| self.hosts.get(&name)) {
            Some(host) if host.is_up() => Reply::Good(self.answers_in_ms(host)),
            Some(_) | None => Reply::Unreached(format!("nobody is at {url}")),
        }
    }

    fn answers_in_ms(&self, host: &Host) -> u64 {
        if self.scenario.flaw(&host.runs) == Flaw::Slow {
            900
        } else {
            40
        }
    }

    /// What they get: one in a hundred fails as ever, one in three with a version that only they find.
    fn customers_of(&self, host: &Host) -> Requests {
        let is_bad = self.scenario.flaw(&host.runs) == Flaw::Watch;
        Requests {
            requests: CUSTOMERS,
            errors_5xx: CUSTOMERS / if is_bad { 3 } else { 100 },
            broken: 0,
        }
    }
}

fn late(command: &Command) -> Answer {
    Answer::CommandRefused(CommandRefused {
        command: command.id.clone(),
        reason: RefusedBecause::Late,
        highest: command.fence(),
    })
}

/// The work of a watch, where the command is one.
pub(crate) fn watch_of(command: &Command) -> Option<Watch> {
    match &command.work {
        Work::Watch(work) => Some(work.clone()),
        Work::Fetch(_)
        | Work::Drain(_)
        | Work::Install(_)
        | Work::Check(_)
        | Work::Test(_)
        | Work::Restore(_)
        | Work::Hold(_) => None,
    }
}

fn stands(haproxy: &Haproxy, host: &Host, server: &ServerName) -> Stands {
    let line = haproxy.lines.get(server);
    match line.map(|line| line.online) {
        Some(Admin::Ready) if host.is_up() => Stands::Up,
        Some(Admin::Ready) => Stands::Down,
        Some(Admin::Drain | Admin::Maint) | None => Stands::Out,
    }
}
