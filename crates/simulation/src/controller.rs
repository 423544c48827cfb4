//! The lb-controllers: the real pure function, beside a simulated HAProxy.

use std::collections::BTreeMap;

use events::{BalancerName, ServerName};
use lb_controller::{Action, Admin, Controller, Marks, Now, Observed, Seen, Step};

use crate::break_rule::WorldRule;
use crate::fleet::{Haproxy, MAINTENANCE, ONLINE};
use crate::world::World;

/// One lb-controller with what outlives it.
pub(crate) struct Keeper {
    name: BalancerName,
    pub(crate) alive: Option<Controller>,
    marks: Marks,
    /// How many records of each server it has taken.
    taken: BTreeMap<ServerName, usize>,
    /// What it saw when it last looked and had something to do.
    stale: Option<Observed>,
    /// What it last saw and had nothing to do about, and when: a look at the very same says nothing new.
    settled: Option<(u64, u64)>,
    /// A former one that is not dead, with what it was about to do. Only when a rule is broken.
    asleep: Option<(Controller, Vec<Action>)>,
}

impl Keeper {
    pub(crate) fn new(name: BalancerName) -> Self {
        Self {
            name,
            alive: None,
            marks: Marks::default(),
            taken: BTreeMap::new(),
            stale: None,
            settled: None,
            asleep: None,
        }
    }
}

impl World {
    /// A controller starts: it reads the commands to the end, then acts.
    pub(crate) fn start_keeper(&mut self, index: usize) {
        let reads_on = self.holds(WorldRule::ReadToEnd);
        let keeps_marks = self.holds(WorldRule::Marks);
        let now = self.keeper_now();
        let Some(keeper) = self.keepers.get_mut(index) else {
            return;
        };
        let mut controller = Controller::new(keeper.name.clone());
        if !keeps_marks {
            keeper.marks = Marks::default();
        }
        keeper.taken = BTreeMap::new();
        for (server, records) in &self.log.commands {
            let end = if reads_on {
                records.len()
            } else {
                self.dice.index(records.len()) + 1
            };
            let read = records.get(end.saturating_sub(1));
            if let Some(record) = read {
                controller.take(record.as_ref().clone(), now);
            }
            keeper.taken.insert(server.clone(), end);
        }
        keeper.alive = Some(controller);
        keeper.settled = None;
        if !reads_on {
            self.look(index);
        }
    }

    fn keeper_now(&self) -> Now {
        Now {
            ms: self.now_ms,
            wall: self.wall(),
        }
    }

    /// It reads what is new for one server, or for all.
    fn read_records(&mut self, index: usize, all: bool) {
        let now = self.keeper_now();
        let skip = if all {
            0
        } else {
            self.dice.index(self.log.commands.len().max(1))
        };
        let count = if all { usize::MAX } else { 1 };
        let Some(keeper) = self.keepers.get_mut(index) else {
            return;
        };
        let Some(controller) = keeper.alive.as_mut() else {
            return;
        };
        for (server, records) in self.log.commands.iter().skip(skip).take(count) {
            let taken = keeper.taken.get(server).copied().unwrap_or(0);
            if taken == records.len() {
                continue;
            }
            for record in records.iter().skip(taken) {
                controller.take(record.as_ref().clone(), now);
            }
            keeper.taken.insert(server.clone(), records.len());
            keeper.settled = None;
        }
    }

    /// One that was asleep acts on what it saw and knew, beside its successor.
    pub(crate) fn wake_keeper(&mut self, index: usize) {
        let Some(keeper) = self.keepers.get_mut(index) else {
            return;
        };
        let Some((former, actions)) = keeper.asleep.take() else {
            return;
        };
        for action in actions {
            self.act(index, action);
        }
        let swap = |world: &mut Self, with: Option<Controller>| {
            let keeper = world.keepers.get_mut(index)?;
            keeper.settled = None;
            std::mem::replace(&mut keeper.alive, with)
        };
        let successor = swap(self, Some(former));
        self.look(index);
        swap(self, successor);
    }

    /// Reads, then looks; says whether there was anything to do.
    pub(crate) fn keep(&mut self, index: usize, all: bool) -> bool {
        self.read_records(index, all);
        self.look(index)
    }

    /// One look, and what it says is to be done. Between the two others may fall.
    fn look(&mut self, index: usize) -> bool {
        let Some(step) = self.see(index) else {
            return false;
        };
        if let Some(haproxy) = self.haproxies.get_mut(index) {
            haproxy.forgive(&self.hosts, self.scenario.floor);
        }
        let acts = !step.actions.is_empty();
        if acts && !self.holds(WorldRule::LbLock) && self.dice.percent(12) {
            // It falls asleep in the middle of what it was about to do; another one starts.
            if let Some(keeper) = self.keepers.get_mut(index) {
                keeper.asleep = keeper.alive.take().map(|former| (former, step.actions));
            }
            self.start_keeper(index);
            return true;
        }
        for reply in step.replies {
            self.note(|| format!("  lb{} says {}", index + 1, reply.answer.kind()));
            if let Some(haproxy) = self.haproxies.get_mut(index) {
                self.monitor
                    .pool_answer(haproxy, &self.hosts, &reply.answer);
            }
            self.answer(reply.answer);
        }
        for action in step.actions {
            if self.drains(index, &action)
                && self.scenario.fault_percent > 0
                && self.dice.percent(8)
            {
                self.die();
            }
            self.act(index, action);
        }
        acts
    }

    /// What follows from what its HAProxy says; nothing when that is what it said before.
    fn see(&mut self, index: usize) -> Option<Step> {
        let now = self.keeper_now();
        let live = self.holds(WorldRule::LiveFloor);
        let again = self.holds(WorldRule::SecondLook);
        let haproxy = self.haproxies.get(index)?;
        let moment = Some((now.ms, haproxy.print(&self.hosts)));
        let keeper = self.keepers.get_mut(index)?;
        let controller = keeper.alive.as_mut()?;
        if keeper.settled == moment {
            return None;
        }
        let mut observed = haproxy.observe(&self.hosts);
        let truth = (!again).then(|| observed.clone());
        if !live {
            blind_to_falls(&mut observed);
        }
        if !again && let Some(stale) = keeper.stale.take() {
            keep_others(&mut observed, &stale);
        }
        let seen = Seen {
            haproxy: haproxy.reachable.then_some(&observed),
            saved: &haproxy.believed_file,
            marks: &keeper.marks,
        };
        let step = controller.look(seen, now);
        let acts = !step.actions.is_empty();
        keeper.stale = truth.filter(|_| acts);
        keeper.settled = moment.filter(|_| !acts);
        Some(step)
    }

    /// Whether it takes a server out that is asked to be drained.
    fn drains(&self, index: usize, action: &Action) -> bool {
        let Action::SetState { backend, line, to } = action else {
            return false;
        };
        backend == ONLINE && *to != Admin::Ready && self.asked(index, line) == Some("drain")
    }

    /// The kind of the command on a line's server that this controller knows of: a newer one may be
    /// on its way.
    fn asked(&self, index: usize, line: &str) -> Option<&'static str> {
        let server: ServerName = line.parse().ok()?;
        let read = *self.keepers.get(index)?.taken.get(&server)?;
        let record = self.log.commands.get(&server)?.get(read.checked_sub(1)?)?;
        Some(record.command()?.work.kind())
    }

    fn act(&mut self, index: usize, action: Action) {
        let late_file = !self.holds(WorldRule::StateFileFirst);
        let asserts = self.holds(WorldRule::Reassert);
        let drains = self.drains(index, &action);
        self.note(|| format!("  lb{}: {}", index + 1, told(&action)));
        let hosts = &self.hosts;
        let (Some(keeper), Some(haproxy)) =
            (self.keepers.get_mut(index), self.haproxies.get_mut(index))
        else {
            return;
        };
        match action {
            Action::WriteMarks(marks) => keeper.marks = marks,
            Action::SaveState => {
                let fresh = haproxy.dump();
                haproxy.save_hands();
                if !late_file {
                    haproxy.state_file.clone_from(&fresh);
                }
                haproxy.believed_file = fresh;
            }
            Action::CutSessions { line, .. } => with_line(haproxy, &line, |line| line.running = 0),
            Action::SetState { backend, line, to } => {
                let holds_out = backend == ONLINE && to == Admin::Maint && !drains;
                if holds_out && !asserts {
                    return;
                }
                self.monitor
                    .sets_state(haproxy, hosts, (&backend, &line, to), drains);
                set(haproxy, &backend, &line, to);
            }
        }
    }

    /// Rubs out the state file's late save, when that rule is broken: the save comes some time
    /// after the report.
    pub(crate) fn save_late(&mut self, index: usize) {
        if !self.holds(WorldRule::StateFileFirst)
            && let Some(haproxy) = self.haproxies.get_mut(index)
        {
            haproxy.state_file.clone_from(&haproxy.believed_file);
        }
    }
}

/// An action in a few words.
fn told(action: &Action) -> String {
    match action {
        Action::WriteMarks(marks) => {
            let servers: Vec<String> = marks
                .taken
                .iter()
                .map(|(server, mark)| format!("{server} by {} out={}", mark.command.step, mark.out))
                .collect();
            format!("marks [{}]", servers.join(", "))
        }
        Action::SetState { backend, line, to } => format!("{backend}/{line} {}", to.word()),
        Action::CutSessions { line, .. } => format!("cut sessions of {line}"),
        Action::SaveState => "state file".to_owned(),
    }
}

fn set(haproxy: &mut Haproxy, backend: &str, line: &str, to: Admin) {
    let online = backend == ONLINE;
    let maintenance = backend == MAINTENANCE;
    with_line(haproxy, line, |line| {
        if online {
            line.online = to;
            line.by_hand = false;
            line.hand_drained &= to != Admin::Ready;
        } else if maintenance {
            line.maintenance = to;
        }
    });
}

fn with_line(haproxy: &mut Haproxy, line: &str, change: impl FnOnce(&mut crate::fleet::Line)) {
    let server: Option<ServerName> = line.parse().ok();
    if let Some(line) = server.and_then(|server| haproxy.lines.get_mut(&server)) {
        change(line);
    }
}

/// As if the floor were judged by configuration: everything that is not out counts as UP.
fn blind_to_falls(observed: &mut Observed) {
    for row in observed.rows.values_mut() {
        if row.admin == Admin::Ready {
            row.status = "UP".to_owned();
            row.checked_up = true;
        }
    }
}

/// As if nobody looked again: what others did meanwhile is not seen.
fn keep_others(observed: &mut Observed, stale: &Observed) {
    for (key, row) in &mut observed.rows {
        if let Some(old) = stale.rows.get(key)
            && row.admin == old.admin
            && row.admin == Admin::Ready
        {
            row.status.clone_from(&old.status);
            row.checked_up = old.checked_up;
        }
    }
}
