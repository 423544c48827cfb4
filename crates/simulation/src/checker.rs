//! The health-checker: the real one's desk, judgement and verdicts, on probes of simulated pools.

use std::collections::BTreeMap;

use events::{
    Answer, Balancer, Check, CommandRecord, CommandRefused, FailedBecause, Probe, RefusedBecause,
    ServerName,
};
use health_checker::{
    Act, Desk, Judged, Probed, Round, Seen, Trial, Wanted, judge, pairs, remains_ms, sum_up,
};
use lb_controller::Admin;

use crate::break_rule::WorldRule;
use crate::fleet::Haproxy;
use crate::watcher::{Watching, watch_of};
use crate::world::World;

/// What it remembers while it lives.
#[derive(Debug, Default)]
pub(crate) struct Checker {
    desk: Desk,
    /// How many records of each server it has read.
    read: BTreeMap<ServerName, usize>,
    running: BTreeMap<ServerName, Running>,
    pub(crate) watches: BTreeMap<ServerName, Watching>,
}

/// A check that runs.
#[derive(Debug)]
struct Running {
    trial: Trial,
    /// In true time: its next round, and its end.
    next_ms: u64,
    until_ms: u64,
}

impl Checker {
    /// When something changes here by itself, in true time.
    pub(crate) fn changes_ms(&self) -> Option<u64> {
        let running = self.running.values();
        let checks = running.map(|one| one.next_ms.min(one.until_ms));
        let watches = self.watches.values().map(|one| one.next_ms);
        checks.chain(watches).min()
    }
}

impl World {
    /// It restarts: it remembers nothing, and reads all records to their end before it acts.
    pub(crate) fn restart_checker(&mut self) {
        self.checker = Checker::default();
        let records = self.log.commands.iter();
        self.checker.read = records
            .map(|(server, records)| (server.clone(), records.len().saturating_sub(1)))
            .collect();
    }

    /// Reads what is new for one server, and probes it when its time has come.
    pub(crate) fn check(&mut self, server: &ServerName) {
        self.read_checks(server);
        self.watch(server);
        let now_ms = self.now_ms;
        let running = self.checker.running.get(server);
        let Some(running) = running.filter(|one| one.next_ms.min(one.until_ms) <= now_ms) else {
            return;
        };
        if running.until_ms <= now_ms {
            if let Some(running) = self.checker.running.remove(server) {
                self.verdict(running.trial.over());
            }
            return;
        }
        let round = self.probe(&running.trial);
        let Some(running) = self.checker.running.get_mut(server) else {
            return;
        };
        running.next_ms = now_ms + running.trial.check().interval_ms.max(1);
        if let Some(healthy) = running.trial.take(&round) {
            self.checker.running.remove(server);
            self.found_healthy(server);
            self.verdict(healthy);
        }
    }

    fn read_checks(&mut self, server: &ServerName) {
        let Some(records) = self.log.commands.get(server) else {
            return;
        };
        let read = self.checker.read.insert(server.clone(), records.len());
        for at in read.unwrap_or(0)..records.len() {
            let records = self.log.commands.get(server);
            let Some(record) = records.and_then(|records| records.get(at)).cloned() else {
                return;
            };
            let act = if self.holds(WorldRule::Fences) {
                self.checker.desk.take(&record)
            } else {
                self.checker.desk.take(&above_all(&record, at))
            };
            self.act_on_check(server, act);
        }
    }

    fn act_on_check(&mut self, server: &ServerName, act: Act) {
        match act {
            Act::Nothing => {}
            Act::Stop => {
                self.checker.running.remove(server);
                self.checker.watches.remove(server);
            }
            Act::Begin(command) => {
                self.checker.running.remove(server);
                self.checker.watches.remove(server);
                if let Some(work) = watch_of(&command) {
                    self.begin_watch(server, *command, work);
                    return;
                }
                let left_ms = remains_ms(&command, self.wall());
                match Trial::begin(&command, left_ms > 0) {
                    Ok(trial) => {
                        let running = Running {
                            trial,
                            next_ms: self.now_ms,
                            until_ms: self.now_ms + left_ms,
                        };
                        self.checker.running.insert(server.clone(), running);
                    }
                    Err(answer) => self.verdict(*answer),
                }
            }
            Act::Repeat(answer) => self.answer(*answer),
            Act::Refuse { command, highest } => {
                let reason = RefusedBecause::Stale;
                self.answer(Answer::CommandRefused(CommandRefused {
                    command,
                    reason,
                    highest,
                }));
            }
        }
    }

    pub(crate) fn verdict(&mut self, answer: Answer) {
        if let Some(id) = answer.command() {
            let key = format!("{}/{}", self.scenario.target, id.server);
            self.checker.desk.answered(&key, answer.clone());
        }
        self.answer(answer);
    }

    /// What is true when it says so: a server that is not up has passed no check.
    fn found_healthy(&mut self, server: &ServerName) {
        match self.hosts.get_mut(server) {
            Some(host) if host.is_up() => host.tainted &= !host.tested,
            Some(_) | None => self.monitor.called_healthy(server),
        }
    }

    /// One round, through the maintenance pool of every HAProxy.
    fn probe(&self, trial: &Trial) -> Round {
        let (check, balancers) = (trial.check(), &trial.command().balancers);
        let probes = pairs(check, balancers).into_iter();
        let probed = probes.map(|(probe, through)| {
            let judged = self.ask_through(check, &probe, through.as_ref());
            Probed::new(check, (&probe, through), judged, 1)
        });
        sum_up(check, balancers, probed)
    }

    fn ask_through(&self, check: &Check, probe: &Probe, through: Option<&Balancer>) -> Judged {
        let named = |haproxy: &&Haproxy| through.is_some_and(|one| one.name == haproxy.name);
        let haproxy = self.haproxies.iter().find(named);
        let (
            Some(haproxy),
            Probe::Http {
                status,
                body,
                header,
                ..
            },
        ) = (haproxy, probe)
        else {
            return Judged {
                wrong: Some(FailedBecause::Unreachable),
                found: "no way to ask".to_owned(),
                version_seen: false,
            };
        };
        let wanted = Wanted {
            status: *status,
            body: body.as_deref(),
            header: header.as_ref(),
        };
        judge(check, wanted, &self.answers_testers(haproxy, check))
    }

    /// A request that is pinned to a server goes to another one when that cannot take it.
    fn answers_testers(&self, haproxy: &Haproxy, check: &Check) -> Seen {
        let takes = |server: &ServerName| {
            let line = haproxy.lines.get(server);
            let host = self.hosts.get(server).filter(|host| host.is_up());
            host.filter(|_| line.is_some_and(|line| line.maintenance == Admin::Ready))
        };
        let pinned: Option<ServerName> = check.expect.server.parse().ok();
        let servers = pinned.iter().chain(haproxy.lines.keys());
        let found = servers
            .filter_map(|server| Some((server, takes(server)?)))
            .next();
        let Some((server, host)) = found else {
            return Seen {
                status: 503,
                ..Seen::default()
            };
        };
        Seen {
            status: 200,
            answered_by: vec![server.to_string()],
            header: Vec::new(),
            body: host.runs.version.to_string(),
        }
    }
}

/// As if it did not look at fences: whatever comes seems newer than all before it.
fn above_all(record: &CommandRecord, at: usize) -> CommandRecord {
    let above = 1_000_000 + u64::try_from(at).unwrap_or(0);
    let mut record = record.clone();
    match &mut record {
        CommandRecord::Command(command) => command.epoch = above,
        CommandRecord::Idle(idle) => idle.epoch = above,
    }
    record
}
