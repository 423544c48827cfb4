//! A controller, its HAProxy, its disk, and everything that may happen to them.

use std::collections::{BTreeMap, BTreeSet};

use events::{Answer, Command, CommandId, CommandRecord, Fence, Then, Timestamp, Work};
use poolshift_lb_controller::{Action, Admin, Controller, Marks, Now, Saved, Seen, Step};

use super::happening::{Happening, Kind};
use super::sim::{Haproxy, LINES, MAINTENANCE, ONLINE};
use crate::support::orders;

pub(crate) const FLOOR: u32 = 2;

/// How long after a deadline everything is answered: the controller's grace, and to undo.
const GRACE_MS: u64 = 3_000;

pub(crate) struct World {
    pub(crate) haproxy: Haproxy,
    pub(crate) saved: Saved,
    pub(crate) marks: Marks,
    pub(crate) latest: BTreeMap<usize, CommandRecord>,
    /// Commands to which `Drained` was said.
    pub(crate) drained: BTreeSet<CommandId>,
    /// Answered, by id and fence, by this life of the controller.
    answered: BTreeSet<(CommandId, Fence)>,
    /// Came after their deadline.
    late: BTreeSet<CommandId>,
    /// Seen out under `Test` or `Hold`, and nothing has let go of them since.
    unproven: BTreeSet<usize>,
    ever_answered: BTreeSet<CommandId>,
    controller: Controller,
    now_ms: u64,
    epoch: u64,
    seq: u64,
    is_gone: bool,
    is_full: bool,
    /// Something happened between a look and its actions.
    is_surprised: bool,
}

impl World {
    pub(crate) fn new() -> Self {
        Self {
            haproxy: Haproxy::start(),
            saved: Saved::new(),
            marks: Marks::default(),
            latest: BTreeMap::new(),
            drained: BTreeSet::new(),
            answered: BTreeSet::new(),
            late: BTreeSet::new(),
            unproven: BTreeSet::new(),
            ever_answered: BTreeSet::new(),
            controller: Controller::new("lb1".parse().unwrap()),
            now_ms: 0,
            epoch: 1,
            seq: 0,
            is_gone: false,
            is_full: false,
            is_surprised: false,
        }
    }

    pub(crate) fn happen(&mut self, happening: &Happening) {
        match happening {
            Happening::Settle(ms) => {
                self.now_ms += ms;
                self.settle();
            }
            Happening::Look(between, done) => {
                let step = self.look();
                if let Some(between) = between {
                    self.happen(between);
                }
                self.is_surprised = between.is_some();
                self.act(step, *done);
                self.is_surprised = false;
            }
            Happening::Order(server, kind, ms) => {
                self.seq += 1;
                let record = self.record(*server, *kind, (self.epoch, self.seq), *ms);
                if let Some(command) = record.command().filter(|_| *ms == 0) {
                    self.late.insert(command.id.clone());
                }
                if !record
                    .command()
                    .is_some_and(|command| command.work.keeps_out())
                {
                    self.unproven.remove(server);
                }
                self.take(*server, record);
            }
            Happening::TakenOver => {
                self.epoch += 1;
                for (server, record) in self.latest.clone() {
                    self.take(server, under(record, self.epoch));
                }
            }
            Happening::Stale(server, kind) => {
                if self.latest.contains_key(server) {
                    self.seq += 1;
                    let record = self.record(*server, *kind, (0, self.seq), 1_000);
                    self.controller.take(record, self.now());
                }
            }
            Happening::Health(server, good) => {
                self.haproxy.healthy.insert(LINES[*server], *good);
            }
            Happening::Person(server, to) => self.haproxy.set(ONLINE, LINES[*server], *to),
            Happening::Visit(server, count) => self.haproxy.visit(LINES[*server], *count),
            Happening::Finish(server) => self.haproxy.finish(LINES[*server]),
            Happening::HaproxyRestarts(loads) => {
                let saved = self.saved.clone();
                self.haproxy.restart(loads.then_some(&saved));
            }
            Happening::HaproxyGone(is_gone) => self.is_gone = *is_gone,
            Happening::ControllerRestarts => {
                self.controller = Controller::new("lb1".parse().unwrap());
                self.answered.clear();
                for record in self.latest.clone().into_values() {
                    self.controller.take(record, self.now());
                }
            }
            Happening::DiskFull(is_full) => self.is_full = *is_full,
        }
    }

    fn settle(&mut self) {
        for _ in 0..20 {
            let step = self.look();
            if step.actions.is_empty() {
                self.check_settled();
                return;
            }
            self.act(step, usize::MAX);
            if self.is_full || self.is_gone {
                return;
            }
        }
        let is_cutting = self.latest.values().any(|record| {
            let work = record.command().map(|command| &command.work);
            matches!(work, Some(Work::Drain(drain)) if drain.then == Then::Cut)
        });
        assert!(is_cutting, "it never comes to rest: {:?}", self.look());
    }

    fn look(&mut self) -> Step {
        let observed = self.haproxy.observe();
        let seen = Seen {
            haproxy: (!self.is_gone).then_some(&observed),
            saved: &self.saved,
            marks: &self.marks,
        };
        let now = self.now();
        let step = self.controller.look(seen, now);
        for reply in &step.replies {
            self.check_reply(&reply.answer);
        }
        step
    }

    fn act(&mut self, step: Step, count: usize) {
        for action in step.actions.into_iter().take(count) {
            match action {
                Action::WriteMarks(_) | Action::SaveState if self.is_full => return,
                Action::SetState { .. } | Action::CutSessions { .. } | Action::SaveState
                    if self.is_gone =>
                {
                    return;
                }
                Action::WriteMarks(marks) => {
                    self.check_marks(&marks);
                    self.marks = marks;
                }
                Action::SaveState => self.saved = self.haproxy.save(),
                Action::CutSessions { line, .. } => {
                    let line = LINES.iter().find(|one| **one == line).unwrap();
                    self.haproxy.finish(line);
                }
                Action::SetState { backend, line, to } => {
                    self.check_set(&backend, &line, to);
                    self.haproxy.set(&backend, &line, to);
                }
            }
        }
    }

    /// What may be asked of an online line.
    fn check_set(&self, backend: &str, line: &str, to: Admin) {
        let server = LINES.iter().position(|one| *one == line).unwrap();
        let command = self.latest.get(&server).and_then(CommandRecord::command);
        let command = command.unwrap_or_else(|| panic!("{line} is nobody's: hands off"));
        let mark = self.marks.taken.get(&format!("production/shop/{line}"));
        if backend == MAINTENANCE {
            return;
        }
        if to != Admin::Ready {
            if matches!(command.work, Work::Drain(_)) {
                self.check_take_out(line, command);
            }
            return;
        }
        match &command.work {
            Work::Restore(_) => {
                assert!(mark.is_some(), "{line} was taken out by a person");
                let is_late = self.wall() >= command.deadline_at;
                assert!(!is_late, "{line} is put online after its deadline");
            }
            Work::Drain(_) => {
                let is_reported = self.drained.contains(&command.id);
                assert!(!is_reported, "{line} is put online after its Drained");
            }
            Work::Fetch(_)
            | Work::Install(_)
            | Work::Check(_)
            | Work::Test(_)
            | Work::Hold(_)
            | Work::Watch(_) => {
                panic!("{line} is put online under {}", command.id)
            }
        }
    }

    /// What a drain takes out anew is marked first, in time, and leaves the floor.
    fn check_take_out(&self, line: &str, command: &Command) {
        let mark = self.marks.taken.get(&format!("production/shop/{line}"));
        let mark = mark.unwrap_or_else(|| panic!("{line} is taken out without a mark"));
        let is_kept = mark.out && (mark.command == command.id || mark.unproven);
        if is_kept || !self.haproxy.is_up(line) {
            return;
        }
        assert!(
            !self.late.contains(&command.id),
            "{} came too late",
            command.id
        );
        let left = self.haproxy.count_up() - 1;
        let is_enough = self.is_surprised || left >= FLOOR as usize;
        assert!(is_enough, "{} leaves {left} UP", command.id);
    }

    /// From a mark that says `out` there is no way back but a `Restore`.
    fn check_marks(&self, marks: &Marks) {
        let drains = self.latest.values().filter_map(CommandRecord::command);
        for command in drains.filter(|command| matches!(command.work, Work::Drain(_))) {
            let is_out = |marks: &Marks| {
                let mark = marks
                    .taken
                    .get(&format!("production/shop/{}", command.line));
                mark.is_some_and(|mark| mark.out)
            };
            if is_out(marks) && !is_out(&self.marks) {
                let place = (ONLINE.to_owned(), command.line.clone());
                assert_eq!(
                    self.haproxy.running[command.line.as_str()],
                    0,
                    "{}",
                    command.id
                );
                assert_eq!(
                    self.saved.get(&place),
                    Some(&Admin::Maint),
                    "{}",
                    command.id
                );
            }
        }
    }

    /// Nothing is said that is not so, and nothing twice.
    fn check_reply(&mut self, answer: &Answer) {
        let Some(id) = answer.command() else {
            return;
        };
        let command = self.latest.values().find_map(|record| {
            record
                .command()
                .filter(|command| command.id == *id)
                .cloned()
        });
        let Some(command) = command else {
            assert!(
                matches!(answer, Answer::CommandRefused(_)),
                "stale: {answer:?}"
            );
            return;
        };
        let is_first = self.answered.insert((id.clone(), command.fence()));
        assert!(is_first, "said twice: {answer:?}");
        self.ever_answered.insert(id.clone());
        let is_new = !self.drained.contains(id);
        if let (Answer::Drained(drained), true) = (answer, is_new) {
            self.check_drained(&command.line, &drained.command);
            self.drained.insert(id.clone());
        }
    }

    fn check_drained(&self, line: &str, id: &CommandId) {
        let place = (ONLINE.to_owned(), line.to_owned());
        assert_eq!(self.haproxy.admin(ONLINE, line), Admin::Maint, "{id}");
        assert_eq!(self.haproxy.running[line], 0, "{id}");
        assert_eq!(self.saved.get(&place), Some(&Admin::Maint), "{id}");
        let mark = &self.marks.taken[&format!("production/shop/{line}")];
        assert!(mark.out && mark.command == *id, "{id}");
    }

    /// After looks that found nothing more to do.
    fn check_settled(&mut self) {
        if self.is_gone {
            return;
        }
        for (server, record) in &self.latest.clone() {
            let line = LINES[*server];
            let Some(command) = record.command() else {
                continue;
            };
            match &command.work {
                Work::Drain(_) if self.unproven.contains(server) => {
                    let admin = self.haproxy.admin(ONLINE, line);
                    assert_eq!(admin, Admin::Maint, "{} is unproven", command.id);
                }
                Work::Drain(_) => self.check_floor(line, command),
                Work::Restore(_) | Work::Fetch(_) | Work::Watch(_) => {}
                Work::Install(_) | Work::Check(_) | Work::Test(_) | Work::Hold(_) => {
                    assert_eq!(
                        self.haproxy.admin(ONLINE, line),
                        Admin::Maint,
                        "{}",
                        command.id
                    );
                    self.unproven.insert(*server);
                }
            }
            let waits = matches!(command.work, Work::Drain(_) | Work::Restore(_));
            let over_ms = self.wall().ms_since(command.deadline_at);
            if waits && over_ms > GRACE_MS {
                let is_answered = self.ever_answered.contains(&command.id);
                assert!(is_answered, "{} got no answer", command.id);
            }
        }
    }

    /// A good server that is out by a drain that was not reported leaves the floor UP.
    fn check_floor(&self, line: &str, command: &Command) {
        let mark = self.marks.taken.get(&format!("production/shop/{line}"));
        let is_begun = mark.is_some_and(|mark| {
            !mark.out && mark.was_up && !mark.by_person() && mark.command == command.id
        });
        let is_out = self.haproxy.admin(ONLINE, line) != Admin::Ready;
        if is_begun && is_out && self.haproxy.healthy[line] {
            let up = self.haproxy.count_up();
            assert!(up >= FLOOR as usize, "{}: {up} UP", command.id);
        }
    }

    fn record(&self, server: usize, kind: Kind, fence: (u64, u64), ms: u64) -> CommandRecord {
        let line = LINES[server];
        let work = match kind {
            Kind::Idle => return CommandRecord::Idle(orders::idle(line, fence)),
            Kind::Fetch => orders::fetch(),
            Kind::Drain { pinned_ms, is_cut } => {
                let then = if is_cut { Then::Cut } else { Then::Fail };
                orders::drain(&LINES, FLOOR, pinned_ms, then)
            }
            Kind::Test => orders::test(line),
            Kind::Hold => orders::hold(),
            Kind::Restore { must_be_up } => orders::restore(must_be_up),
        };
        let command = orders::command(line, fence, self.wall().plus_ms(ms), work);
        CommandRecord::Command(Box::new(command))
    }

    fn take(&mut self, server: usize, record: CommandRecord) {
        self.latest.insert(server, record.clone());
        self.controller.take(record, self.now());
    }

    fn wall(&self) -> Timestamp {
        Timestamp::from_ms(1_795_552_200_000).plus_ms(self.now_ms)
    }

    fn now(&self) -> Now {
        Now {
            ms: self.now_ms,
            wall: self.wall(),
        }
    }
}

fn under(record: CommandRecord, epoch: u64) -> CommandRecord {
    match record {
        CommandRecord::Command(mut command) => {
            command.epoch = epoch;
            CommandRecord::Command(command)
        }
        CommandRecord::Idle(mut idle) => {
            idle.epoch = epoch;
            CommandRecord::Idle(idle)
        }
    }
}
