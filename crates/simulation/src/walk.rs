//! One walk: random steps with faults, then calm, in which everything must come to an end.

use events::{MachineName, Outcome};
use rollout::State;

use crate::break_rule::{Break, WorldRule};
use crate::invariant::Violation;
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

/// What happens in a walk, for people who look into a seed: one line for each event, each change
/// of a pool, each fault.
#[must_use]
pub fn trace(seed: u64, broken: Option<Break>) -> Vec<String> {
    let Some(mut world) = World::new(seed, broken) else {
        return Vec::new();
    };
    world.notes = Some(vec![format!("{:?}", world.scenario)]);
    world.run();
    let mut lines = world.notes.unwrap_or_default();
    let violations = world.monitor.violations.iter();
    lines.extend(violations.map(ToString::to_string));
    lines
}

/// Random steps before calm comes.
const STEPS_MAX: u64 = 160;

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

/// Keeps states of a walk's log as an orchestrator keeps them, and says how many came back the
/// same.
///
/// # Errors
/// The first one that came back another one.
pub fn keep_states(seed: u64) -> Result<u64, String> {
    let Some(mut world) = World::new(seed, None) else {
        return Err("the walk's own names do not parse".to_owned());
    };
    world.run();
    let mut state = State::new(world.scenario.target.clone());
    let mut same = 0;
    for logged in &world.log.events {
        logged.fold_into(&mut state);
        let kept = serde_json::to_string(&state).map_err(|error| error.to_string())?;
        let back: State = serde_json::from_str(&kept).map_err(|error| error.to_string())?;
        if back != state {
            return Err(format!("seed {seed}, event {}: {kept}", state.n));
        }
        same += 1;
    }
    Ok(same)
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
        self.outage_at_risk();
        let owner = self.dice.index(2);
        let keeper = self.dice.index(2);
        if !self.holds(WorldRule::LbLock) && self.dice.percent(8) {
            self.wake_keeper(keeper);
        }
        match self.dice.index(20) {
            0..=4 => self.decide(owner),
            5..=7 => {
                self.commit(owner);
            }
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

    pub(crate) fn live_owner(&self) -> Option<usize> {
        let owns = |index: usize| {
            self.owners
                .get(index)
                .and_then(|owner| owner.own.as_ref())
                .is_some_and(|own| own.epoch == self.log.owner)
        };
        (0..self.owners.len()).find(|index| owns(*index))
    }

    fn people(&mut self) {
        match self.dice.index(11) {
            0 => self.ask(),
            1..=3 => self.vote(true),
            4 => self.vote(false),
            5 if self.scenario.people => self.steer(),
            6 if self.scenario.aborts => self.abort(),
            _ => self.gate_word(),
        }
    }

    fn poll_any(&mut self) {
        let machines: Vec<MachineName> = self.machines.keys().cloned().collect();
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

    pub(crate) fn time_passes(&mut self) {
        let long = self.dice.percent(12);
        let ms = if long {
            self.dice.between(5_000, 40_000)
        } else {
            self.dice.between(50, 3_000)
        };
        self.now_ms += ms;
    }
}
