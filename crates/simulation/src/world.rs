//! Everything there is in one walk.

use std::collections::BTreeMap;

use events::{Actor, ActorKind, Answer, MachineName, Report, ReportId, ServerName, Timestamp};
use rollout::{Heard, Rules};

use crate::break_rule::{Break, WorldRule};
use crate::checker::Checker;
use crate::controller::Keeper;
use crate::dice::Dice;
use crate::fleet::{Haproxy, Host};
use crate::log::Log;
use crate::machine::Machine;
use crate::monitor::Monitor;
use crate::owner::Owner;
use crate::scenario::{Flaw, Scenario, machine_of, parsed};

/// One walk's world.
pub(crate) struct World {
    pub(crate) dice: Dice,
    pub(crate) scenario: Scenario,
    pub(crate) broken: Option<Break>,
    /// True time, in milliseconds.
    pub(crate) now_ms: u64,
    pub(crate) log: Log,
    pub(crate) owners: Vec<Owner>,
    pub(crate) haproxies: Vec<Haproxy>,
    pub(crate) keepers: Vec<Keeper>,
    pub(crate) hosts: BTreeMap<ServerName, Host>,
    pub(crate) machines: BTreeMap<MachineName, Machine>,
    pub(crate) checker: Checker,
    /// Reports that were said and are not in the log yet.
    pub(crate) outbox: Vec<Heard>,
    pub(crate) monitor: Monitor,
    pub(crate) steps: u64,
    /// What happens, for people who look into a seed; none when nobody does.
    pub(crate) notes: Option<Vec<String>>,
    pub(crate) asked: u64,
}

impl World {
    pub(crate) fn new(seed: u64, broken: Option<Break>) -> Option<Self> {
        let mut dice = Dice::of(seed);
        let scenario = Scenario::of(&mut dice)?;
        let sick = scenario.old_flaw == Flaw::Check;
        let host = |_: &ServerName| Host {
            runs: scenario.old.clone(),
            dead: false,
            restarting: false,
            sick,
            tainted: false,
            tested: false,
        };
        let hosts = scenario
            .servers
            .iter()
            .map(|server| (server.clone(), host(server)))
            .collect();
        let machines = (0..scenario.servers.len())
            .filter_map(|index| parsed(&machine_of(index)))
            .map(|name: MachineName| (name.clone(), Machine::new(name)))
            .collect();
        let haproxies = scenario
            .balancers
            .iter()
            .map(|name| Haproxy::new(name.clone(), &scenario.servers))
            .collect();
        let keepers = scenario
            .balancers
            .iter()
            .map(|name| Keeper::new(name.clone()))
            .collect();
        let rules = match broken {
            Some(Break::Brain(rule)) => Rules::without(rule),
            _ => Rules::default(),
        };
        Some(Self {
            monitor: Monitor::new(&scenario),
            owners: vec![Owner::new(rules, 0), Owner::new(rules, 2_000)],
            dice,
            scenario,
            broken,
            now_ms: 1_800_000_000_000,
            log: Log::default(),
            haproxies,
            keepers,
            hosts,
            machines,
            checker: Checker::default(),
            outbox: Vec::new(),
            steps: 0,
            notes: None,
            asked: 0,
        })
    }

    pub(crate) fn holds(&self, rule: WorldRule) -> bool {
        self.broken != Some(Break::World(rule))
    }

    pub(crate) fn wall(&self) -> Timestamp {
        Timestamp::from_ms(i64::try_from(self.now_ms).unwrap_or(i64::MAX))
    }

    /// Notes what happens, where somebody wants to read it.
    pub(crate) fn note(&mut self, what: impl FnOnce() -> String) {
        let wall = self.wall();
        if let Some(notes) = &mut self.notes {
            notes.push(format!("{wall} {}", what()));
        }
    }

    /// Somebody says something; it is in the log when it is delivered.
    pub(crate) fn say(&mut self, actor: &str, report: impl Into<Report>) {
        let id = ReportId::new(self.dice.uuid());
        self.outbox.push(Heard {
            id,
            actor: actor_of(actor),
            report: report.into(),
        });
    }

    pub(crate) fn answer(&mut self, answer: Answer) {
        self.say(WORKER, answer);
    }

    /// One of what was said reaches the log: any one, so order is lost; sometimes twice.
    pub(crate) fn deliver(&mut self, faults: bool) {
        if self.outbox.is_empty() {
            return;
        }
        let index = if faults {
            self.dice.index(self.outbox.len())
        } else {
            0
        };
        let again = faults && self.dice.percent(8);
        let Some(heard) = self.outbox.get(index).cloned() else {
            return;
        };
        if !again {
            self.outbox.remove(index);
        }
        self.log.reports.push(heard);
    }
}

const WORKER: &str = "worker";

/// Whom an answer comes from.
pub(crate) fn worker() -> Actor {
    actor_of(WORKER)
}

fn actor_of(name: &str) -> Actor {
    Actor {
        kind: ActorKind::Person,
        id: name.to_owned(),
    }
}
