//! Calm after the faults: everything must come to an end, and nothing may be forgotten.

use events::{MachineName, RolloutFinished};
use lb_controller::Admin;
use rollout::{Aside, State, record, waiting, wake_at};

use crate::invariant::{Invariant, Violation};
use crate::machine::Machine;
use crate::world::World;

/// Rounds in which calm must end everything: a server's whole way back and forth takes fewer
/// than 100, and there are at most six.
const CALM_ROUNDS_MAX: u64 = 4_000;

/// Rounds in which nothing happens although time passes: nothing ever will. By then days have
/// passed.
const QUIET_MAX: u32 = 24;

impl World {
    /// Everything that can happen without time passing happens.
    pub(crate) fn settle_all(&mut self) {
        for _ in 0..60 {
            let before = (
                self.log.events.len(),
                self.outbox.len(),
                self.log.reports.len(),
            );
            self.settle_round();
            if before
                == (
                    self.log.events.len(),
                    self.outbox.len(),
                    self.log.reports.len(),
                )
            {
                break;
            }
        }
    }

    fn settle_round(&mut self) {
        let live = self.live_owner().unwrap_or_else(|| {
            self.take_over(0, 0);
            0
        });
        self.round(Some(live));
    }

    /// What was said is heard, decided by the owner if there is one, and obeyed.
    pub(crate) fn round(&mut self, live: Option<usize>) {
        while !self.outbox.is_empty() {
            self.deliver(false);
        }
        if let Some(live) = live {
            while self.has_to_decide(live) {
                self.decide(live);
                if !self.commit(live) {
                    break;
                }
            }
            if let Some(above) = self.wants_above(live) {
                self.take_over(live, above);
            }
        }
        for index in 0..self.keepers.len() {
            for _ in 0..4 {
                if !self.keep(index, true) {
                    break;
                }
            }
        }
        let machines: Vec<MachineName> = self.machines.keys().cloned().collect();
        for machine in machines {
            self.poll(&machine);
            self.poll(&machine);
        }
        for server in self.scenario.servers.clone() {
            self.check(&server);
        }
    }

    /// Whether a report waits, or the clock asks for a decision.
    fn has_to_decide(&self, index: usize) -> bool {
        let Some(own) = self.owners.get(index).and_then(|owner| owner.own.as_ref()) else {
            return false;
        };
        let overdue = wake_at(&own.state).is_some_and(|wake| wake <= self.owner_time(index));
        own.pending.is_some() || own.consumed < self.log.reports.len() || overdue
    }

    /// No more faults, no more people: everything must come to an end.
    pub(crate) fn calm(&mut self) {
        for haproxy in &mut self.haproxies {
            haproxy.reachable = true;
        }
        for host in self.hosts.values_mut() {
            host.dead = false;
        }
        for machine in self.machines.values_mut() {
            machine.raise(self.now_ms);
        }
        let mut quiet: u32 = 0;
        for _ in 0..CALM_ROUNDS_MAX {
            self.requests_end();
            let before = self.log.events.len();
            self.settle_all();
            if !self.monitor.violations.is_empty() {
                return;
            }
            let idle = self.is_idle();
            let still = before == self.log.events.len();
            quiet = if still { quiet + 1 } else { 0 };
            if (quiet > 3 && idle) || quiet > QUIET_MAX {
                break;
            }
            self.jump(idle, quiet);
        }
        self.tempt();
        self.judge_end();
    }

    /// To the next moment at which something can happen.
    fn jump(&mut self, idle: bool, quiet: u32) {
        let now = self.wall();
        let wake = self
            .state()
            .and_then(wake_at)
            .filter(|wake| *wake >= now)
            .map(|wake| wake.ms_since(now) + 1);
        // A check that fails goes on for many rounds, of which the first few tell all.
        let rounds = self.checker.changes_ms().filter(|_| quiet < 4);
        let machines = self.machines.values();
        let ends = machines
            .filter_map(Machine::changes_ms)
            .chain(rounds)
            .map(|ms| ms.saturating_sub(self.now_ms) + 1)
            .min();
        let look = 3_000 << quiet.min(20);
        let next = [wake, ends, Some(look)]
            .into_iter()
            .flatten()
            .min()
            .unwrap_or(look);
        self.now_ms += if idle { 70_000 } else { next.max(1) };
        self.customers();
    }

    /// A person puts servers online that are out: what is held goes out again.
    fn tempt(&mut self) {
        if !self.scenario.hand_moves {
            return;
        }
        for _ in 0..4 {
            self.enable();
        }
        for _ in 0..3 {
            self.settle_all();
            self.now_ms += 3_000;
        }
    }

    pub(crate) fn state(&self) -> Option<&State> {
        let live = self.live_owner()?;
        self.owners.get(live)?.own.as_ref().map(|own| &own.state)
    }

    fn is_idle(&self) -> bool {
        self.state()
            .is_some_and(|state| state.rollout.is_none() && state.queue.is_empty())
    }

    fn judge_end(&mut self) {
        let Some(state) = self.state().cloned() else {
            return;
        };
        let now = self.wall();
        if state.rollout.is_some() || !state.queue.is_empty() {
            let what = format!("still runs; it waits for {:?}", waiting(&state, now));
            self.monitor.violated(Invariant::L1, what);
        } else {
            self.monitor.ended();
        }
        for (name, server) in &state.servers {
            if self.log.latest(name) != Some(&record(&state, name, server)) {
                let what = format!("the record of {name} is not what the events say");
                self.monitor.violated(Invariant::S5, what);
            }
        }
        let fresh = State::with_rules(state.target.clone(), state.rules);
        if self.log.fold(fresh, usize::MAX) != state {
            self.monitor.violated(
                Invariant::S5,
                "state is not the fold of the events".to_owned(),
            );
        }
        self.judge_pools(&state);
    }

    /// A rollout that ends says which servers it leaves out.
    pub(crate) fn judge_finish(&mut self, finished: &RolloutFinished) {
        for server in &finished.servers {
            let name = &server.server;
            let said = finished.stuck.contains(name) || finished.left.contains(name);
            let out = self.haproxies.iter().find(|haproxy| {
                haproxy
                    .lines
                    .get(name)
                    .is_some_and(|line| line.online == Admin::Maint && !line.touched)
            });
            if let Some(haproxy) = out.filter(|_| !said) {
                let what = format!("{name} is out of {}, and its rollout is over", haproxy.name);
                self.monitor.violated(Invariant::L1, what);
            }
        }
    }

    /// Nothing is forgotten: a proven server is online, an unproven one is out, everywhere.
    fn judge_pools(&mut self, state: &State) {
        for (name, server) in &state.servers {
            let released = self.monitor.released.contains(name);
            let stuck = matches!(server.aside, Some(Aside::Stuck { .. }));
            let tainted = self.hosts.get(name).is_some_and(|host| host.tainted);
            for haproxy in &self.haproxies {
                let Some(line) = haproxy.lines.get(name) else {
                    continue;
                };
                let online = line.online == Admin::Ready;
                let by_person = line.hand_drained || (line.touched && line.online == Admin::Drain);
                let what = if stuck && online {
                    format!("{name} is stuck and online on {}", haproxy.name)
                } else if tainted && online && !released && !line.by_hand {
                    format!("{name} is unproven and online on {}", haproxy.name)
                } else if !server.unproven && !online && !by_person && !released {
                    format!(
                        "{name} is proven, and out and forgotten on {}",
                        haproxy.name
                    )
                } else {
                    continue;
                };
                let invariant = if online { Invariant::S2 } else { Invariant::L1 };
                self.monitor.violations.push(Violation { invariant, what });
            }
        }
    }
}
