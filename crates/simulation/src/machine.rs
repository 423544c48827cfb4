//! Machines: an agent's memory on its disk, its life, and what runs beside it.

use std::collections::{BTreeMap, BTreeSet};

use agent::{Agent, Assigned, Decision, Entry, Journal};
use events::{Command, Digest, MachineName, Release, ServerName, Work};

use crate::program::Program;

/// One machine with its agent.
pub(crate) struct Machine {
    pub(crate) agent: Agent,
    /// On its disk.
    pub(crate) journal: Journal,
    /// The agent that runs now.
    pub(crate) life: Option<Life>,
    /// Its agent will never come back.
    pub(crate) lost: bool,
    pub(crate) program: Option<Program>,
    /// Whole and verified, on its disk.
    pub(crate) artifacts: BTreeSet<(ServerName, Digest)>,
}

/// What dies with an agent.
#[derive(Debug, Default)]
pub(crate) struct Life {
    /// In true time: its monotonic clock counts from here.
    pub(crate) began_ms: u64,
    /// How many records of each server there were when it last read them.
    pub(crate) read: BTreeMap<ServerName, usize>,
    pub(crate) inbox: Vec<Assigned>,
    /// In true time: when it ends the program that runs.
    pub(crate) until_ms: Option<u64>,
    /// It finds out what became of a former life's work.
    pub(crate) recovers: bool,
    /// The journal has changed since what runs was last looked at.
    pub(crate) news: bool,
}

impl Machine {
    pub(crate) fn new(name: MachineName) -> Self {
        Self {
            agent: Agent { machine: name },
            journal: Journal::default(),
            life: Some(Life::default()),
            lost: false,
            program: None,
            artifacts: BTreeSet::new(),
        }
    }

    pub(crate) const fn is_alive(&self) -> bool {
        self.life.is_some()
    }

    /// Its agent starts, and finds its journal.
    pub(crate) fn raise(&mut self, now_ms: u64) {
        if self.life.is_none() && !self.lost {
            self.journal.new_life();
            self.life = Some(Life {
                began_ms: now_ms,
                ..Life::default()
            });
        }
    }

    /// When something changes here by itself, in true time.
    pub(crate) fn changes_ms(&self) -> Option<u64> {
        let life = self.life.as_ref()?;
        let program = self.program.as_ref().filter(|one| one.ended.is_none())?;
        [life.until_ms, program.ends_ms].into_iter().flatten().min()
    }

    pub(crate) fn write(&mut self, entry: &Entry) {
        self.journal.apply(entry);
        if let Some(life) = &mut self.life {
            life.news = true;
        }
    }

    pub(crate) fn decide(&self, now_ms: u64) -> Option<Decision> {
        let life = self.life.as_ref()?;
        let clock_ms = now_ms.saturating_sub(life.began_ms);
        Some(self.agent.next(&self.journal, &life.inbox, clock_ms))
    }

    /// What was last proved to run.
    pub(crate) fn previous(&self, command: &Command) -> Option<Release> {
        let key = format!("{}/{}", command.target, command.server);
        self.journal.server(&key)?.proven.clone()
    }

    /// The command that this life waits for, when there is nothing more to wait for.
    pub(crate) fn awaited(&self) -> Option<Box<Command>> {
        let running = self.journal.running().filter(|one| one.this_life)?;
        let goes_on = |program: &Program| program.ended.is_none();
        let waits = self.program.as_ref().is_some_and(goes_on);
        (!waits).then(|| running.command.clone())
    }

    pub(crate) fn has(&self, command: &Command) -> bool {
        let Work::Fetch(fetch) = &command.work else {
            return false;
        };
        let artifact = (command.server.clone(), fetch.artifact.sha256);
        self.artifacts.contains(&artifact)
    }
}
