//! Agents: the real one's decisions and journal, on simulated machines.

use agent::{Assigned, Decision, Entry, Journal, Stamp};
use events::{
    Answer, Assignment, Command, CommandRecord, FailedBecause, Fence, MachineName, ReportId, Work,
};
use rollout::Heard;

use crate::answers;
use crate::break_rule::WorldRule;
use crate::invariant::Invariant;
use crate::machine::Machine;
use crate::world::{World, worker};

/// Decisions after which an agent must have come to a wait: one for each thing that a record can
/// ask of it, with room.
const DECISIONS_MAX: usize = 100;

impl World {
    /// `kill -9`: the journal outlives the agent, and what runs goes on or dies with it.
    pub(crate) fn kill_agent(&mut self, name: &MachineName) {
        let journal = self.holds(WorldRule::Journal);
        let dies_too = self.dice.percent(50);
        let Some(machine) = self.machines.get_mut(name) else {
            return;
        };
        if machine.life.take().is_none() {
            return;
        }
        if !journal {
            machine.journal = Journal::default();
        }
        let program = machine.program.take();
        let (lives, dies) = match program {
            Some(program) if program.ended.is_none() && (dies_too || !program.may_outlive()) => {
                (None, Some(program))
            }
            other => (other, None),
        };
        machine.program = lives;
        if let Some(host) = dies.and_then(|dead| self.hosts.get_mut(&dead.command.server)) {
            host.restarting = false;
        }
    }

    /// Somebody looks after it, most of the time.
    pub(crate) fn restart_agent(&mut self, name: &MachineName) {
        let starts = self.dice.percent(70);
        if let Some(machine) = self.machines.get_mut(name).filter(|_| starts) {
            machine.raise(self.now_ms);
        }
    }

    /// An agent hears from the gateway, decides until there is nothing to decide, and hands in
    /// what it has to say.
    pub(crate) fn poll(&mut self, name: &MachineName) {
        self.end_program(name);
        if !self.machines.get(name).is_some_and(Machine::is_alive) {
            return;
        }
        self.read_assignments(name);
        for decided in 0.. {
            if decided > DECISIONS_MAX {
                let what = format!("the agent of {name} decides for ever");
                self.monitor.violated(Invariant::L1, what);
                return;
            }
            if !self.agent_step(name) {
                break;
            }
            // It may die after any line of its journal; mostly its service manager starts it anew.
            if self.scenario.fault_percent > 0 && self.dice.percent(1) {
                self.kill_agent(name);
                self.restart_agent(name);
                return;
            }
        }
        self.report_what_runs(name);
        self.hand_in(name);
    }

    /// What the gateway says of the servers on this machine, when any of it is new.
    fn read_assignments(&mut self, name: &MachineName) {
        let now = self.wall();
        let fences = self.holds(WorldRule::Fences);
        let Some(machine) = self.machines.get_mut(name) else {
            return;
        };
        let Some(life) = machine.life.as_mut() else {
            return;
        };
        let clock_ms = self.now_ms.saturating_sub(life.began_ms);
        for (server, records) in &self.log.commands {
            let Some(record) = records.last().filter(|record| record.machine() == name) else {
                continue;
            };
            if life.read.get(server) == Some(&records.len()) {
                continue;
            }
            life.read.insert(server.clone(), records.len());
            let mut record = record.as_ref().clone();
            if !fences {
                raise_fence(&mut record, &machine.journal);
            }
            let left_ms = |command: &Command| {
                let start_by = command.issued_at.plus_ms(command.start_within_ms);
                (start_by.ms_since(now), command.deadline_at.ms_since(now))
            };
            let (start_within_ms, remains_ms) = record.command().map_or((0, 0), left_ms);
            let assignment = Assignment {
                record,
                start_within_ms,
                remains_ms,
            };
            life.inbox.retain(|assigned| assigned.server != *server);
            life.inbox.push(Assigned::new(assignment, clock_ms));
        }
    }

    /// One decision; whether there may be another.
    fn agent_step(&mut self, name: &MachineName) -> bool {
        if self.finish(name) {
            return true;
        }
        let stamp = self.stamp();
        let now_ms = self.now_ms;
        let Some(machine) = self.machines.get_mut(name) else {
            return false;
        };
        let Some(decision) = machine.decide(now_ms) else {
            return false;
        };
        match decision {
            Decision::Wait { .. } => return false,
            Decision::Note(entry) => machine.write(&entry),
            Decision::Queue(queued) => machine.write(&queued.entry(stamp)),
            Decision::Refuse(refusal) => machine.write(&refusal.entry(stamp)),
            Decision::AnswerAgain(repeat) => machine.write(&repeat.entry(stamp)),
            Decision::Abort(command) => {
                machine.program = None;
                let answer = answers::failed(&command, FailedBecause::Interrupted, "superseded");
                machine.write(&Entry::dropped(&command, &answer, stamp));
            }
            Decision::Recover(command) => self.recover(name, &command),
            Decision::Start { command, end_by_ms } => {
                let entry = Entry::started(&command, stamp);
                self.begin(name, &entry, (command, end_by_ms));
            }
        }
        true
    }

    /// The line, then the program.
    fn begin(&mut self, name: &MachineName, entry: &Entry, start: (Box<Command>, u64)) {
        if self.holds(WorldRule::JournalFirst) {
            self.write(name, entry);
            self.start_program(name, start.0, start.1);
        } else {
            self.start_program(name, start.0, start.1);
            if self.dice.percent(5) {
                self.kill_agent(name);
                self.restart_agent(name);
            } else {
                self.write(name, entry);
            }
        }
    }

    fn write(&mut self, name: &MachineName, entry: &Entry) {
        if let Some(machine) = self.machines.get_mut(name) {
            machine.write(entry);
        }
    }

    fn stamp(&mut self) -> Stamp {
        Stamp {
            id: ReportId::new(self.dice.uuid()),
            at: self.wall(),
        }
    }

    /// Nothing is run again: an installation is awaited, suites are ended.
    fn recover(&mut self, name: &MachineName, command: &Command) {
        let now = self.wall();
        let now_ms = self.now_ms;
        let Some(machine) = self.machines.get_mut(name) else {
            return;
        };
        let running = machine.journal.running();
        let spent_ms = running.map_or(0, |running| now.ms_since(running.at));
        machine.journal.take_over();
        machine.program.take_if(|program| {
            program.command.id != command.id || matches!(command.work, Work::Test(_))
        });
        if let Some(life) = &mut machine.life {
            life.recovers = true;
            life.until_ms = Some(now_ms + command.timeout_ms.saturating_sub(spent_ms));
        }
    }

    /// Whether what this life waits for has come, and is in the journal now.
    fn finish(&mut self, name: &MachineName) -> bool {
        let stamp = self.stamp();
        let Some(machine) = self.machines.get_mut(name) else {
            return false;
        };
        let Some(command) = machine.awaited() else {
            return false;
        };
        let previous = machine.previous(&command);
        let ended = machine.program.take().and_then(|program| program.ended);
        let host = self.hosts.get_mut(&command.server);
        let recovers = machine.life.as_ref().is_some_and(|life| life.recovers);
        let answer = match ended.filter(|_| !recovers) {
            Some(ended) => answers::answer(&command, ended, previous),
            None => {
                let fetched = machine.has(&command);
                answers::recovered(&command, host.as_deref(), fetched, ended, previous)
            }
        };
        machine.write(&Entry::finished(&command, &answer, stamp));
        if let (Answer::TestsPassed(_), Some(host)) = (&answer, host) {
            host.tested = true;
        }
        true
    }

    /// Not in the middle of work: its answer comes first.
    fn report_what_runs(&mut self, name: &MachineName) {
        let now = self.wall();
        let Some(machine) = self.machines.get_mut(name) else {
            return;
        };
        let news = machine.life.as_mut().map(|life| &mut life.news);
        let is_idle = machine.journal.running().is_none();
        if !is_idle || !news.is_some_and(std::mem::take) {
            return;
        }
        for (target, seen) in machine.journal.unseen(name, "1.0.0") {
            let stamp = Stamp {
                id: ReportId::new(self.dice.uuid()),
                at: now,
            };
            let entry = Entry::seen(&target, seen, stamp);
            machine.journal.apply(&entry);
        }
    }

    /// Reports go to the gateway in their order. When its word is lost they go again, with the same
    /// ids.
    fn hand_in(&mut self, name: &MachineName) {
        let lost = self.scenario.fault_percent > 0 && self.dice.percent(5);
        let Some(machine) = self.machines.get_mut(name) else {
            return;
        };
        let reports = machine.journal.outbox().iter();
        let heard: Vec<Heard> = reports
            .filter_map(|report| {
                Some(Heard {
                    id: report.id,
                    actor: worker(),
                    report: report.answer().ok()?.into(),
                })
            })
            .collect();
        if heard.is_empty() {
            return;
        }
        if !lost {
            let ids = heard.iter().map(|heard| heard.id).collect();
            machine.journal.apply(&Entry::Taken { ids });
        }
        self.outbox.extend(heard);
    }
}

/// As if no agent looked at fences: whatever comes seems newer than all before it.
fn raise_fence(record: &mut CommandRecord, journal: &Journal) {
    let Some(notes) = journal.server(&record.key()) else {
        return;
    };
    let highest = &notes.highest;
    let is_known = highest.id.as_ref() == record.command().map(|command| &command.id);
    if record.fence() > highest.fence || is_known {
        return;
    }
    let Fence { epoch, seq } = highest.fence;
    match record {
        CommandRecord::Command(command) => {
            command.epoch = epoch;
            command.seq = seq + 1;
        }
        CommandRecord::Idle(idle) => {
            idle.epoch = epoch;
            idle.seq = seq + 1;
        }
    }
}
