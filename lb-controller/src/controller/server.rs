//! What is remembered of one server between looks. All of it may be forgotten.

use std::collections::BTreeSet;

use events::{Answer, CommandId, CommandRecord, Fence};

use crate::mark::{Baseline, Mark, Marks};
use crate::observed::Admin;
use crate::step::{Now, Reply};

use super::draft::Draft;
use super::{Fits, Key};

/// Where a server stands in HAProxy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) online: String,
    pub(super) maintenance: String,
    pub(super) line: String,
}

impl Place {
    /// As an earlier command told.
    pub(super) fn known(marks: &Marks, (target, name): &Key) -> Option<Self> {
        let known = marks.known.get(target)?;
        Some(Self {
            online: known.online.clone(),
            maintenance: known.maintenance.clone(),
            line: known.lines.get(name)?.clone(),
        })
    }
}

#[derive(Debug, Clone)]
pub(super) struct Server {
    pub(super) key: Key,
    /// Of its record in the stream, and of its mark.
    pub(super) text_key: String,
    pub(super) record: Latest,
    /// Whether the latest command names this balancer.
    pub(super) mine: bool,
    pub(super) place: Option<Place>,
    /// By the clock of looks.
    pub(super) deadline_ms: u64,
    /// The deadline was over when the command came.
    pub(super) late: bool,
    pub(super) work: Work,
    pub(super) kept: Kept,
    /// Out by our mark with nothing outstanding: since when, and when it was last reported.
    pub(super) stray: Option<(u64, Option<u64>)>,
    /// A person's wish that was reported.
    pub(super) drift: Option<Admin>,
    pub(super) refused: BTreeSet<(CommandId, Fence)>,
}

/// The latest record, or none ever.
#[derive(Debug, Clone)]
pub(super) struct Latest(Option<CommandRecord>);

impl Latest {
    pub(super) fn get(&self) -> Option<&CommandRecord> {
        self.0.as_ref()
    }

    pub(super) fn command(&self) -> Option<&events::Command> {
        self.0.as_ref().and_then(CommandRecord::command)
    }
}

/// How far the outstanding command is.
#[derive(Debug, Clone, Default)]
pub(super) struct Work {
    /// When this life of ours first acted on it, and how long a former one had by then.
    pub(super) began: Option<(u64, u64)>,
    /// HAProxy's counter when the server began to take only pinned customers.
    pub(super) pinned_from: Option<Baseline>,
    /// Requests that we ended.
    pub(super) cut: u32,
    /// The answer that is given once what was begun is undone, and since when.
    pub(super) undoing: Option<(Answer, u64)>,
    /// The answer.
    pub(super) answer: Option<Answer>,
    /// Under which fence it was given.
    pub(super) told: Option<Fence>,
}

impl Work {
    /// How long it has been worked on.
    pub(super) fn took_ms(&self, now_ms: u64) -> u64 {
        self.began.map_or(0, |(began_ms, before_ms)| {
            now_ms.saturating_sub(began_ms).saturating_add(before_ms)
        })
    }
}

/// Watch over a server that must be out.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Kept {
    /// The counter when it was last seen out, and when.
    pub(super) last: Option<(Baseline, u64)>,
    /// Customers could reach it since.
    pub(super) broken: bool,
}

impl Server {
    pub(super) fn of(record: CommandRecord, mine: bool, now: Now) -> Self {
        let key = (record.target().clone(), record.server().clone());
        let mut server = Self::unasked(&key, None);
        server.renew(record, mine, now);
        server
    }

    /// One that is known only from what commands said about others.
    pub(super) fn unasked(key: &Key, place: Option<Place>) -> Self {
        Self {
            key: key.clone(),
            text_key: format!("{}/{}", key.0, key.1),
            record: Latest(None),
            mine: false,
            place,
            deadline_ms: 0,
            late: false,
            work: Work::default(),
            kept: Kept::default(),
            stray: None,
            drift: None,
            refused: BTreeSet::new(),
        }
    }

    pub(super) fn fits(&self, record: &CommandRecord) -> Fits {
        let Some(latest) = &self.record.0 else {
            return Fits::Newer;
        };
        let id = |record: &CommandRecord| record.command().map(|command| command.id.clone());
        match record.fence().cmp(&latest.fence()) {
            std::cmp::Ordering::Greater => Fits::Newer,
            std::cmp::Ordering::Equal if id(record) == id(latest) => Fits::Same,
            std::cmp::Ordering::Equal | std::cmp::Ordering::Less => Fits::Stale(latest.fence()),
        }
    }

    /// Makes `record` the latest. The same command under a new owner goes on, with its new deadline.
    pub(super) fn renew(
        &mut self,
        record: CommandRecord,
        mine: bool,
        now: Now,
    ) -> Option<CommandId> {
        self.refused.clear();
        self.mine = mine;
        let id = |command: &events::Command| command.id.clone();
        let old = self.record.command().map(id);
        let superseded = old.filter(|old| record.command().map(id).as_ref() != Some(old));
        if let Some(command) = record.command() {
            let again = self
                .record
                .command()
                .is_some_and(|old| old.id == command.id);
            if !again {
                self.work = Work::default();
            }
            let left_ms = command.deadline_at.ms_since(now.wall);
            self.deadline_ms = now.ms.saturating_add(left_ms);
            self.late = left_ms == 0 && self.work.began.is_none();
            self.place = Some(Place {
                online: command.online.clone(),
                maintenance: command.maintenance.clone(),
                line: command.line.clone(),
            });
        } else {
            self.work = Work::default();
        }
        self.record = Latest(Some(record));
        superseded
    }

    /// Its command for this balancer, and where that is to act.
    pub(super) fn asked(&self) -> Option<(events::Command, Place)> {
        let command = self.record.command().filter(|_| self.mine)?;
        Some((command.clone(), self.place.clone()?))
    }

    /// Whether its command's deadline is over.
    pub(super) const fn is_over(&self, now_ms: u64) -> bool {
        now_ms >= self.deadline_ms
    }

    /// Whether the answer to its command is decided.
    pub(super) const fn is_decided(&self) -> bool {
        self.work.undoing.is_some() || self.work.answer.is_some()
    }

    /// Gives the answer, and again whenever the command comes with a higher fence.
    pub(super) fn tell(&mut self, command: &events::Command, draft: &mut Draft) {
        if self.work.told == Some(command.fence()) {
            return;
        }
        if let Some(answer) = &self.work.answer {
            self.work.told = Some(command.fence());
            draft.replies.push(Reply {
                target: command.target.clone(),
                answer: answer.clone(),
            });
        }
    }

    /// The mark in the making.
    pub(super) fn mark<'a>(&self, draft: &'a mut Draft) -> Option<&'a mut Mark> {
        draft.marks.taken.get_mut(&self.text_key)
    }
}
