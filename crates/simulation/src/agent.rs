//! Agents: a model of one on each machine, with a journal that outlives it and programs that may.

use std::collections::BTreeMap;
use std::sync::Arc;

use events::{
    Answer, AnsweredBy, Command, CommandId, CommandRecord, CommandRefused, CommandStarted,
    FailedBecause, Failure, Fence, FetchFailed, Fetched, Install, InstallFailed, Installed,
    MachineName, Output, Proof, RefusedBecause, Release, ServerName, TestsFailed, TestsPassed,
    Work, Worker,
};

use crate::break_rule::WorldRule;
use crate::fleet::Host;
use crate::scenario::Flaw;
use crate::world::World;

/// One agent.
#[derive(Debug, Clone, Default)]
pub(crate) struct Agent {
    pub(crate) alive: bool,
    /// It will never come back.
    pub(crate) lost: bool,
    highest: BTreeMap<ServerName, (Fence, Option<CommandId>)>,
    finished: BTreeMap<CommandId, Answer>,
    /// The program that runs; it may outlive the agent.
    pub(crate) running: Option<Running>,
    /// Answers given under which fence, so that a record published anew is answered anew.
    answered: BTreeMap<CommandId, Fence>,
}

/// A program of a command.
#[derive(Debug, Clone)]
pub(crate) struct Running {
    command: Command,
    pub(crate) ends_ms: u64,
    /// The agent that started it is gone.
    orphan: bool,
}

impl Agent {
    pub(crate) fn new() -> Self {
        Self {
            alive: true,
            ..Self::default()
        }
    }
}

impl World {
    /// `kill -9`: what it remembered is in its journal, what runs goes on or dies with it.
    pub(crate) fn kill_agent(&mut self, machine: &MachineName) {
        let journal = self.holds(WorldRule::Journal);
        let dies_too = self.dice.percent(50);
        let Some(agent) = self.agents.get_mut(machine) else {
            return;
        };
        agent.alive = false;
        agent.answered.clear();
        if !journal {
            agent.highest.clear();
            agent.finished.clear();
            agent.running = None;
            return;
        }
        let Some(running) = agent.running.as_mut() else {
            return;
        };
        running.orphan = true;
        if dies_too {
            let command = running.command.clone();
            agent.running = None;
            let answer = interrupted(&command);
            agent.finished.insert(command.id.clone(), answer);
            if let Some(host) = self.hosts.get_mut(&command.server) {
                host.restarting = false;
            }
        }
    }

    /// One poll: the latest records of the servers on this machine, or one program's end.
    pub(crate) fn poll(&mut self, machine: &MachineName) {
        let Some(agent) = self.agents.get(machine) else {
            return;
        };
        if !agent.alive || agent.lost {
            return;
        }
        if let Some(running) = &agent.running {
            if running.ends_ms <= self.now_ms {
                self.end_program(machine);
            }
            return;
        }
        let latest = self.log.commands.values();
        let mine: Vec<Arc<CommandRecord>> = latest
            .filter_map(|records| records.last())
            .filter(|record| record.machine() == machine)
            .cloned()
            .collect();
        for record in mine {
            if self.obey(machine, &record) {
                return;
            }
        }
    }

    /// Whether it has begun something.
    fn obey(&mut self, machine: &MachineName, record: &CommandRecord) -> bool {
        let fences = self.holds(WorldRule::Fences);
        let Some(agent) = self.agents.get_mut(machine) else {
            return false;
        };
        let id = record.command().map(|command| command.id.clone());
        let fence = record.fence();
        let known = agent.highest.get(record.server()).cloned();
        let stale = known.as_ref().is_some_and(|(highest, highest_id)| {
            fence < *highest || (fence == *highest && *highest_id != id)
        });
        if stale && fences {
            let highest = known.map(|(highest, _)| highest).unwrap_or_default();
            self.refuse(record.command(), RefusedBecause::Stale, highest);
            return false;
        }
        agent.highest.insert(record.server().clone(), (fence, id));
        let Some(command) = record.command().cloned() else {
            return false;
        };
        if command.work.worker() != Worker::Agent {
            return false;
        }
        if let Some(answer) = agent.finished.get(&command.id).cloned() {
            if agent.answered.insert(command.id.clone(), fence) != Some(fence) {
                self.answer(answer);
            }
            return false;
        }
        let late = self.wall() > command.issued_at.plus_ms(command.start_within_ms);
        if late {
            let late = Answer::CommandRefused(CommandRefused {
                command: command.id.clone(),
                reason: RefusedBecause::Late,
                highest: fence,
            });
            if let Some(agent) = self.agents.get_mut(machine) {
                agent.finished.insert(command.id.clone(), late.clone());
                agent.answered.insert(command.id, fence);
            }
            self.answer(late);
            return false;
        }
        self.begin(machine, command);
        true
    }

    fn refuse(&mut self, command: Option<&Command>, reason: RefusedBecause, highest: Fence) {
        if let Some(command) = command {
            self.answer(Answer::CommandRefused(CommandRefused {
                command: command.id.clone(),
                reason,
                highest,
            }));
        }
    }

    fn begin(&mut self, machine: &MachineName, command: Command) {
        self.monitor.began(&command);
        if let Some(host) = self.hosts.get_mut(&command.server)
            && matches!(command.work, Work::Install(_))
        {
            host.tainted = true;
            host.tested = false;
            host.restarting = true;
        }
        self.answer(Answer::CommandStarted(CommandStarted {
            command: command.id.clone(),
        }));
        let takes_ms = self.dice.between(50, 4_000);
        let ends_ms = self.now_ms + takes_ms;
        if let Some(agent) = self.agents.get_mut(machine) {
            agent.running = Some(Running {
                command,
                ends_ms,
                orphan: false,
            });
        }
    }

    fn end_program(&mut self, machine: &MachineName) {
        let fails = self.scenario.fault_percent > 0 && self.dice.percent(4);
        let running = self
            .agents
            .get_mut(machine)
            .and_then(|agent| agent.running.take());
        let Some(running) = running else { return };
        let command = running.command;
        let answer = match &command.work {
            Work::Fetch(fetch) if fails => Answer::FetchFailed(FetchFailed {
                command: command.id.clone(),
                failure: Failure::new(FailedBecause::Unreachable, &fetch.artifact.url),
            }),
            Work::Fetch(fetch) => Answer::Fetched(Fetched {
                command: command.id.clone(),
                sha256: fetch.artifact.sha256,
                bytes: 1_000,
                took_ms: 10,
            }),
            Work::Install(_) if fails => {
                self.restarted(&command.server, None);
                interrupted(&command)
            }
            Work::Install(install) => {
                let release = release_of(install);
                self.restarted(&command.server, Some(release.clone()));
                installed(&command, release, running.orphan)
            }
            Work::Test(_) => self.tested(&command),
            Work::Drain(_) | Work::Check(_) | Work::Restore(_) | Work::Hold(_) => return,
        };
        let fence = command.fence();
        if let Some(agent) = self.agents.get_mut(machine) {
            agent.finished.insert(command.id.clone(), answer.clone());
            agent.answered.insert(command.id, fence);
        }
        self.answer(answer);
    }

    fn restarted(&mut self, server: &ServerName, release: Option<Release>) {
        let Some(host) = self.hosts.get_mut(server) else {
            return;
        };
        host.restarting = false;
        host.dead = false;
        if let Some(release) = release {
            host.sick = self.scenario.flaw(&release) == Flaw::Check;
            host.runs = release;
        }
    }

    fn tested(&mut self, command: &Command) -> Answer {
        let host = self.hosts.get(&command.server);
        let good =
            host.is_some_and(|host| host.is_up() && self.scenario.flaw(&host.runs) == Flaw::None);
        if good {
            if let Some(host) = self.hosts.get_mut(&command.server) {
                host.tested = true;
            }
            return Answer::TestsPassed(TestsPassed {
                command: command.id.clone(),
                suites: Vec::new(),
                answered_by: AnsweredBy::default(),
                output: Output::default(),
            });
        }
        Answer::TestsFailed(TestsFailed {
            command: command.id.clone(),
            failure: Failure::new(FailedBecause::CasesFailed, "one case failed"),
            suites: Vec::new(),
            answered_by: AnsweredBy::default(),
            output: Output::default(),
        })
    }
}

fn release_of(install: &Install) -> Release {
    Release {
        version: install.version.clone(),
        sha256: install.artifact.sha256,
    }
}

fn installed(command: &Command, release: Release, resumed: bool) -> Answer {
    Answer::Installed(Installed {
        command: command.id.clone(),
        version: release.version,
        sha256_runs: release.sha256,
        proof: Proof {
            kind: "http".to_owned(),
            value: String::new(),
        },
        previous: None,
        took_ms: 10,
        resumed,
        output: Output::default(),
    })
}

fn interrupted(command: &Command) -> Answer {
    let failure = Failure::new(FailedBecause::Interrupted, "the agent was killed");
    let id = command.id.clone();
    match &command.work {
        Work::Install(_) => Answer::InstallFailed(InstallFailed {
            command: id,
            failure,
            output: Output::default(),
        }),
        Work::Test(_) => Answer::TestsFailed(TestsFailed {
            command: id,
            failure,
            suites: Vec::new(),
            answered_by: AnsweredBy::default(),
            output: Output::default(),
        }),
        Work::Fetch(_) | Work::Drain(_) | Work::Check(_) | Work::Restore(_) | Work::Hold(_) => {
            Answer::FetchFailed(FetchFailed {
                command: id,
                failure,
            })
        }
    }
}

/// Whether it would answer a probe in the expected version.
pub(crate) fn healthy(host: &Host, command: &Command) -> bool {
    let Work::Check(check) = &command.work else {
        return false;
    };
    host.is_up()
        && check
            .expect
            .version
            .as_ref()
            .is_none_or(|version| *version == host.runs.version)
}
