//! One walk: random steps with faults, then calm, in which everything must come to an end.

use events::{MachineName, Outcome};
use lb_controller::Admin;
use rollout::{Aside, State, waiting, wake_at};

use crate::break_rule::{Break, WorldRule};
use crate::monitor::{Invariant, Violation};
use crate::world::World;

/// What a walk showed.
#[derive(Debug, Clone)]
pub struct Walked {
    /// Its seed.
    pub seed: u64,
    /// Steps it took.
    pub steps: u64,
    /// How its rollouts ended.
    pub outcomes: Vec<Outcome>,
    /// What did not hold.
    pub violations: Vec<Violation>,
}

/// The events of a walk, for people who look into a seed: one line each.
#[must_use]
pub fn trace(seed: u64, broken: Option<Break>) -> Vec<String> {
    let Some(mut world) = World::new(seed, broken) else {
        return Vec::new();
    };
    world.run();
    let mut lines: Vec<String> = vec![format!("{:?}", world.scenario)];
    lines.extend(world.log.events.iter().map(|logged| {
        format!(
            "{} e{} {}",
            logged.at,
            logged.epoch,
            crate::log::line(&logged.event)
        )
    }));
    lines.extend(
        world
            .monitor
            .refused
            .iter()
            .map(|why| format!("refused: {why}")),
    );
    lines.extend(
        world
            .monitor
            .violations
            .iter()
            .map(|violation| format!("{violation:?}")),
    );
    lines
}

/// Random steps before calm comes.
const STEPS_MAX: u64 = 160;

/// Rounds in which calm must end everything: a server's whole way back and forth takes fewer
/// than 100, and there are at most six.
const CALM_ROUNDS_MAX: u64 = 4_000;

/// Walks one seed; `None` only if the walk's own names do not parse.
#[must_use]
pub fn walk(seed: u64, broken: Option<Break>) -> Option<Walked> {
    let mut world = World::new(seed, broken)?;
    world.run();
    Some(Walked {
        seed,
        steps: world.steps,
        outcomes: std::mem::take(&mut world.monitor.outcomes),
        violations: std::mem::take(&mut world.monitor.violations),
    })
}

impl World {
    fn run(&mut self) {
        self.take_over(0, 0);
        self.introduce();
        self.start_keeper(0);
        self.start_keeper(1);
        self.settle_all();
        self.ask();
        let length = self.dice.between(40, STEPS_MAX);
        while self.steps < length && self.monitor.violations.is_empty() {
            self.step();
            self.steps += 1;
        }
        if self.monitor.violations.is_empty() {
            self.calm();
        }
    }

    fn step(&mut self) {
        if self.dice.percent(self.scenario.fault_percent) {
            self.fault();
            return;
        }
        let owner = self.dice.index(2);
        let keeper = self.dice.index(2);
        match self.dice.index(20) {
            0..=4 => self.decide(owner),
            5..=7 => self.commit(owner),
            8..=10 => self.deliver(self.scenario.fault_percent > 0),
            11..=13 => {
                self.keep(keeper, false);
            }
            14..=15 => self.poll_any(),
            16 => self.check_any(),
            17 => self.customers(),
            18 => self.time_passes(),
            _ => self.people(),
        }
        self.follow_on(owner);
    }

    /// Most of the time what was begun goes on, so that walks reach far.
    fn follow_on(&mut self, owner: usize) {
        if self.dice.percent(70) {
            self.commit(owner);
            let live = self.live_owner();
            if let Some(live) = live {
                self.deliver(self.scenario.fault_percent > 0);
                self.decide(live);
                self.commit(live);
            }
            self.poll_any();
            self.check_any();
            let keeper = self.dice.index(2);
            self.keep(keeper, true);
        }
        if self.dice.percent(30) {
            self.requests_end();
        }
        if self.live_owner().is_none() && self.dice.percent(40) {
            let next = self.dice.index(2);
            self.take_over(next, 0);
        }
        if let Some(above) = self.live_owner().and_then(|live| self.wants_above(live)) {
            let live = self.live_owner().unwrap_or(0);
            self.take_over(live, above);
        }
    }

    fn live_owner(&self) -> Option<usize> {
        let owns = |index: usize| {
            self.owners
                .get(index)
                .and_then(|owner| owner.own.as_ref())
                .is_some_and(|own| own.epoch == self.log.owner)
        };
        (0..self.owners.len()).find(|index| owns(*index))
    }

    fn people(&mut self) {
        match self.dice.index(8) {
            0 => self.ask(),
            1..=3 => self.vote(true),
            4 => self.vote(false),
            5 if self.scenario.people => self.steer(),
            6 if self.scenario.aborts => self.abort(),
            _ => {}
        }
    }

    fn fault(&mut self) {
        let (one, two) = (self.dice.index(2), self.dice.index(2));
        match self.dice.index(14) {
            0 => self.take_over(one, 0),
            1 => self.crash_owner(one),
            2 | 3 => self.restart_keeper(two),
            4 => {
                let loads = self.scenario.loads_state;
                if let Some(haproxy) = self.haproxies.get_mut(two) {
                    haproxy.restart(loads);
                }
                self.customers();
            }
            5 => {
                if let Some(haproxy) = self.haproxies.get_mut(two) {
                    haproxy.reachable = !haproxy.reachable;
                }
            }
            6 | 7 => self.kill_or_raise_agent(),
            8 => self.restart_checker(),
            9 if self.scenario.hand_moves => self.touch(),
            10 => self.die_or_rise(),
            11 => self.save_late(two),
            12 => self.repeat_old_report(),
            _ => self.time_passes(),
        }
    }

    fn crash_owner(&mut self, index: usize) {
        if let Some(owner) = self.owners.get_mut(index) {
            owner.own = None;
        }
    }

    fn restart_keeper(&mut self, index: usize) {
        if !self.holds(WorldRule::LbLock) {
            // The former one was only asleep: it acts once more on what it knew.
            let asleep = self
                .keepers
                .get_mut(index)
                .and_then(|keeper| keeper.alive.clone());
            self.start_keeper(index);
            self.keep(index, true);
            if let Some(asleep) = asleep {
                self.wake_keeper(index, asleep);
            }
            return;
        }
        self.start_keeper(index);
    }

    fn kill_or_raise_agent(&mut self) {
        let machines: Vec<MachineName> = self.agents.keys().cloned().collect();
        let Some(machine) = self.dice.pick(&machines).cloned() else {
            return;
        };
        let lost = self.scenario.lost_machine.as_ref() == Some(&machine);
        let alive = self.agents.get(&machine).is_some_and(|agent| agent.alive);
        if alive {
            self.kill_agent(&machine);
            if let Some(agent) = self.agents.get_mut(&machine) {
                agent.lost = lost;
            }
        } else if let Some(agent) = self.agents.get_mut(&machine) {
            agent.alive = !agent.lost;
        }
    }

    /// A report that was delivered long ago is delivered again.
    fn repeat_old_report(&mut self) {
        let reports = std::mem::take(&mut self.log.reports);
        let again = self.dice.pick(&reports).cloned();
        self.log.reports = reports;
        self.outbox.extend(again);
    }

    fn poll_any(&mut self) {
        let machines: Vec<MachineName> = self.agents.keys().cloned().collect();
        if let Some(machine) = self.dice.pick(&machines) {
            self.poll(machine);
        }
    }

    fn check_any(&mut self) {
        let index = self.dice.index(self.scenario.servers.len());
        if let Some(server) = self.scenario.servers.get(index).cloned() {
            self.check(&server);
        }
    }

    fn time_passes(&mut self) {
        let long = self.dice.percent(12);
        let ms = if long {
            self.dice.between(5_000, 40_000)
        } else {
            self.dice.between(50, 3_000)
        };
        self.now_ms += ms;
    }

    /// Everything that can happen without time passing happens.
    fn settle_all(&mut self) {
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
        while !self.outbox.is_empty() {
            self.deliver(false);
        }
        while self.has_to_decide(live) {
            self.decide(live);
            self.commit(live);
        }
        if let Some(above) = self.wants_above(live) {
            self.take_over(live, above);
        }
        for index in 0..self.keepers.len() {
            for _ in 0..4 {
                if !self.keep(index, true) {
                    break;
                }
            }
        }
        let machines: Vec<MachineName> = self.agents.keys().cloned().collect();
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
    fn calm(&mut self) {
        for haproxy in &mut self.haproxies {
            haproxy.reachable = true;
        }
        for host in self.hosts.values_mut() {
            host.dead = false;
        }
        for agent in self.agents.values_mut() {
            agent.alive = !agent.lost;
        }
        let mut quiet = 0;
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
            if quiet > 3 && idle {
                break;
            }
            self.jump(idle, quiet);
        }
        self.judge_end();
    }

    /// To the next moment at which something can happen.
    fn jump(&mut self, idle: bool, quiet: u32) {
        let now = self.wall();
        let wake = self
            .state()
            .and_then(wake_at)
            .map(|wake| wake.ms_since(now) + 1);
        let programs = self.agents.values().filter(|agent| agent.alive && !agent.lost);
        let ends = programs
            .filter_map(|agent| agent.running.as_ref())
            .map(|running| running.ends_ms.saturating_sub(self.now_ms) + 1)
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

    fn state(&self) -> Option<&State> {
        let live = self.live_owner()?;
        self.owners.get(live)?.own.as_ref().map(|own| &own.state)
    }

    fn is_idle(&self) -> bool {
        self.state()
            .is_some_and(|state| state.rollout.is_none() && state.queue.is_empty())
    }

    fn judge_end(&mut self) {
        self.monitor.ended();
        let Some(state) = self.state().cloned() else {
            return;
        };
        let now = self.wall();
        if state.rollout.is_some() || !state.queue.is_empty() {
            let what = format!("still runs; it waits for {:?}", waiting(&state, now));
            self.monitor.violated(Invariant::L1, what);
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
                let what = if stuck && online {
                    format!("{name} is stuck and online on {}", haproxy.name)
                } else if tainted && online && !released && !line.by_hand {
                    format!("{name} is unproven and online on {}", haproxy.name)
                } else if !server.unproven && !online && !line.hand_drained && !released {
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
