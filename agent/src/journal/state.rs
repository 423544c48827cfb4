//! The fold of the journal's lines.

use std::collections::BTreeMap;

use events::{
    AgentSeen, Answer, Command, CommandId, Fence, Release, Report, ReportId, ServerName,
    ServerRuns, Target, Timestamp, WireReport,
};
use serde::{Deserialize, Serialize};

use super::Entry;

/// What the agent remembers, over all its lives.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Journal {
    servers: BTreeMap<String, ServerNotes>,
    running: Option<Running>,
    outbox: Vec<WireReport>,
    seen: BTreeMap<Target, AgentSeen>,
}

/// What is remembered of one server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServerNotes {
    /// Its target.
    pub target: Target,
    /// Its name.
    pub server: ServerName,
    /// The highest fence that was obeyed or seen, and whose it was.
    pub highest: Highest,
    /// Commands that have their answer for ever; the last [`ServerNotes::ANSWERS_MAX`].
    pub answered: Vec<Answered>,
    /// Refusals that hold for one fence only; the last few.
    pub refused: Vec<(CommandId, Fence)>,
    /// The command that waits, and behind which it was said to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub queued: Option<(CommandId, CommandId)>,
    /// What was last proved to run.
    pub proven: Option<Release>,
    /// What was proved to run before that, where it was another release.
    pub previous: Option<Release>,
}

impl ServerNotes {
    /// How many answers are kept for each server. A rollout asks an agent for 3 things, and 9 with
    /// all retries and the way back; only the latest record of a server can ever come again.
    pub const ANSWERS_MAX: usize = 32;
    const REFUSED_MAX: usize = 16;

    /// The answer that a command has had, if it is done with.
    #[must_use]
    pub fn answer_to(&self, id: &CommandId) -> Option<&Answered> {
        self.answered.iter().find(|answered| &answered.id == id)
    }
}

/// The highest fence of a server, and the command that had it; none for `Idle`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Highest {
    /// The fence.
    pub fence: Fence,
    /// Whose it was.
    pub id: Option<CommandId>,
}

/// A command that has its answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answered {
    /// The command.
    pub id: CommandId,
    /// The highest fence under which it was answered.
    pub fence: Fence,
    /// The answer.
    pub report: WireReport,
}

/// The one piece of work that was begun and has not ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Running {
    /// The command.
    pub command: Box<Command>,
    /// When it began, by the agent's own clock.
    pub at: Timestamp,
    /// Whether this life of the agent began it; if not, it is to be recovered, never run again.
    #[serde(skip)]
    pub this_life: bool,
}

impl Journal {
    /// What is remembered of a server, by its key `production/checkout/web1`.
    #[must_use]
    pub fn server(&self, key: &str) -> Option<&ServerNotes> {
        self.servers.get(key)
    }

    /// All servers that are remembered.
    pub fn servers(&self) -> impl Iterator<Item = &ServerNotes> {
        self.servers.values()
    }

    /// The piece of work that was begun and has not ended.
    #[must_use]
    pub const fn running(&self) -> Option<&Running> {
        self.running.as_ref()
    }

    /// Reports that nobody has taken yet, in the order they happened.
    #[must_use]
    pub fn outbox(&self) -> &[WireReport] {
        &self.outbox
    }

    /// The agent starts anew: what was running belongs to a former life.
    pub const fn new_life(&mut self) {
        if let Some(running) = &mut self.running {
            running.this_life = false;
        }
    }

    /// This life has begun to find out what became of a former life's work.
    pub const fn take_over(&mut self) {
        if let Some(running) = &mut self.running {
            running.this_life = true;
        }
    }

    /// What runs on `machine`, for each target about which the last report said something else.
    #[must_use]
    pub fn unseen(&self, machine: &events::MachineName, version: &str) -> Vec<(Target, AgentSeen)> {
        let mut now: BTreeMap<Target, AgentSeen> = BTreeMap::new();
        for notes in self.servers.values() {
            let seen = now
                .entry(notes.target.clone())
                .or_insert_with(|| AgentSeen {
                    machine: machine.clone(),
                    servers: Vec::new(),
                    agent_version: version.to_owned(),
                });
            seen.servers.push(ServerRuns {
                server: notes.server.clone(),
                release: notes.proven.clone(),
            });
        }
        now.into_iter()
            .filter(|(target, seen)| self.seen.get(target) != Some(seen))
            .collect()
    }

    /// Takes one line in.
    pub fn apply(&mut self, entry: &Entry) {
        match entry {
            Entry::Noted {
                target,
                server,
                fence,
                id,
            } => self.notes(target, server).raise(*fence, id.clone()),
            Entry::Refused {
                target,
                server,
                id,
                fence,
                is_final,
                report,
            } => self.apply_refused((target, server), id, *fence, *is_final, report),
            Entry::Queued {
                target,
                server,
                id,
                behind,
                report,
            } => {
                self.notes(target, server).queued = Some((id.clone(), behind.clone()));
                self.outbox.push(report.clone());
            }
            Entry::Started {
                command,
                at,
                report,
            } => {
                self.notes(&command.target, &command.server)
                    .raise(command.fence(), Some(command.id.clone()));
                self.running = Some(Running {
                    command: command.clone(),
                    at: *at,
                    this_life: true,
                });
                self.outbox.push(report.clone());
            }
            Entry::Finished { report, proven } => {
                self.end_running(report, proven.as_ref());
                self.outbox.push(report.clone());
            }
            Entry::Dropped { report } => self.end_running(report, None),
            Entry::Again {
                target,
                server,
                id,
                fence,
                report,
            } => {
                let notes = self.notes(target, server);
                notes.raise(*fence, Some(id.clone()));
                notes.answer(id, *fence, report);
                self.outbox.push(report.clone());
            }
            Entry::Seen { report } => {
                if let Ok(Report::Answer(Answer::AgentSeen(seen))) = report.report() {
                    self.seen.insert(report.target.clone(), seen);
                }
                self.outbox.push(report.clone());
            }
            Entry::Taken { ids } => self.forget(ids),
            Entry::Snapshot { journal } => *self = (**journal).clone(),
        }
    }

    fn apply_refused(
        &mut self,
        (target, server): (&Target, &ServerName),
        id: &CommandId,
        fence: Fence,
        is_final: bool,
        report: &WireReport,
    ) {
        let notes = self.notes(target, server);
        if is_final {
            notes.raise(fence, Some(id.clone()));
            notes.answer(id, fence, report);
        } else {
            notes.refused.push((id.clone(), fence));
            let surplus = notes.refused.len().saturating_sub(ServerNotes::REFUSED_MAX);
            notes.refused.drain(..surplus);
        }
        self.outbox.push(report.clone());
    }

    fn end_running(&mut self, report: &WireReport, proven: Option<&Release>) {
        let Some(running) = self.running.take() else {
            return;
        };
        let command = running.command;
        let notes = self.notes(&command.target, &command.server);
        notes.answer(&command.id, command.fence(), report);
        if let Some(release) = proven
            && notes.proven.as_ref() != Some(release)
        {
            notes.previous = notes.proven.replace(release.clone());
        }
    }

    fn forget(&mut self, ids: &[ReportId]) {
        self.outbox.retain(|report| !ids.contains(&report.id));
    }

    fn notes(&mut self, target: &Target, server: &ServerName) -> &mut ServerNotes {
        self.servers
            .entry(format!("{target}/{server}"))
            .or_insert_with(|| ServerNotes {
                target: target.clone(),
                server: server.clone(),
                highest: Highest::default(),
                answered: Vec::new(),
                refused: Vec::new(),
                queued: None,
                proven: None,
                previous: None,
            })
    }
}

impl ServerNotes {
    fn raise(&mut self, fence: Fence, id: Option<CommandId>) {
        if fence >= self.highest.fence {
            self.highest = Highest { fence, id };
        }
    }

    fn answer(&mut self, id: &CommandId, fence: Fence, report: &WireReport) {
        self.answered.retain(|answered| &answered.id != id);
        self.answered.push(Answered {
            id: id.clone(),
            fence,
            report: report.clone(),
        });
        let surplus = self.answered.len().saturating_sub(Self::ANSWERS_MAX);
        self.answered.drain(..surplus);
    }
}
