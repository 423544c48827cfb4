//! The lb-controllers: the real pure function, beside a simulated HAProxy.

use std::collections::BTreeMap;

use events::{BalancerName, CommandRecord, ServerName};
use lb_controller::{Action, Admin, Controller, Marks, Now, Observed, Seen};

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
}

impl Keeper {
    pub(crate) fn new(name: BalancerName) -> Self {
        Self {
            name,
            alive: None,
            marks: Marks::default(),
            taken: BTreeMap::new(),
            stale: None,
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
                controller.take(record.clone(), now);
            }
            keeper.taken.insert(server.clone(), end);
        }
        keeper.alive = Some(controller);
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
            let fresh: Vec<CommandRecord> = records.iter().skip(taken).cloned().collect();
            for record in fresh {
                controller.take(record, now);
            }
            keeper.taken.insert(server.clone(), records.len());
        }
    }

    /// A controller that was asleep acts once more on what it knew, beside its successor.
    pub(crate) fn wake_keeper(&mut self, index: usize, asleep: Controller) {
        let successor = self
            .keepers
            .get_mut(index)
            .and_then(|keeper| keeper.alive.replace(asleep));
        let taken = self.keepers.get(index).map(|keeper| keeper.taken.clone());
        self.look(index);
        if let Some(keeper) = self.keepers.get_mut(index) {
            keeper.alive = successor;
            keeper.taken = taken.unwrap_or_default();
        }
    }

    /// Reads, then looks; says whether there was anything to do.
    pub(crate) fn keep(&mut self, index: usize, all: bool) -> bool {
        self.read_records(index, all);
        self.look(index)
    }

    /// One look, and what it says is to be done.
    fn look(&mut self, index: usize) -> bool {
        let now = self.keeper_now();
        let truth = self
            .haproxies
            .get(index)
            .map(|haproxy| haproxy.observe(&self.hosts));
        let live = self.holds(WorldRule::LiveFloor);
        let again = self.holds(WorldRule::SecondLook);
        let (Some(keeper), Some(haproxy), Some(truth)) = (
            self.keepers.get_mut(index),
            self.haproxies.get(index),
            truth,
        ) else { return false };
        let Some(controller) = keeper.alive.as_mut() else { return false };
        let mut observed = truth.clone();
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
        keeper.stale = acts.then_some(truth);
        for reply in step.replies {
            self.monitor
                .pool_answer(&mut self.haproxies, index, &reply.answer);
            self.answer(reply.answer);
        }
        for action in step.actions {
            self.act(index, action);
        }
        acts
    }

    fn act(&mut self, index: usize, action: Action) {
        let late_file = !self.holds(WorldRule::StateFileFirst);
        let asserts = self.holds(WorldRule::Reassert);
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
                if !late_file {
                    haproxy.state_file.clone_from(&fresh);
                }
                haproxy.believed_file = fresh;
            }
            Action::CutSessions { line, .. } => with_line(haproxy, &line, |line| line.running = 0),
            Action::SetState { backend, line, to } => {
                let outstanding = line.parse().ok().and_then(|s: ServerName| {
                    let record = self.log.commands.get(&s)?.last()?;
                    record.command().map(|command| command.work.kind())
                });
                let drains = outstanding == Some("drain");
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
