//! What the agent does next: a pure function of what it remembers, of the records that stand, and
//! of its monotonic clock. The simulator runs it with a model of the programs.

mod queue;

use events::{
    Answer, Assignment, Command, CommandId, CommandRecord, CommandRefused, Fence, InstallKind,
    MachineName, RefusedBecause, ServerName, Target, Work, Worker,
};

use crate::journal::{Answered, Entry, Journal, ServerNotes, Stamp, report_of};

pub use queue::Queued;

/// One server's record as this agent last read it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assigned {
    /// The server's target.
    pub target: Target,
    /// The server.
    pub server: ServerName,
    /// The machine that the record names.
    pub machine: MachineName,
    /// The record's fence.
    pub fence: Fence,
    /// What it asks for.
    pub order: Order,
    /// On the agent's monotonic clock, in milliseconds: work must have begun before.
    pub begin_by_ms: u64,
    /// On the same clock: no work goes on after this.
    pub end_by_ms: u64,
}

/// What a record asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Order {
    /// A command that is outstanding.
    Command(Box<Command>),
    /// Nothing.
    Idle,
    /// Something that a newer version of us understands.
    Unknown(CommandId),
}

impl Assigned {
    /// A record that was read at `now_ms` on the agent's monotonic clock.
    #[must_use]
    pub fn new(assignment: Assignment, now_ms: u64) -> Self {
        let record = assignment.record;
        Self {
            target: record.target().clone(),
            server: record.server().clone(),
            machine: record.machine().clone(),
            fence: record.fence(),
            order: match record {
                CommandRecord::Command(command) => Order::Command(command),
                CommandRecord::Idle(_) => Order::Idle,
            },
            begin_by_ms: now_ms.saturating_add(assignment.start_within_ms),
            end_by_ms: now_ms.saturating_add(assignment.remains_ms),
        }
    }

    /// The server's key in stream and journal.
    #[must_use]
    pub fn key(&self) -> String {
        format!("{}/{}", self.target, self.server)
    }

    const fn id(&self) -> Option<&CommandId> {
        match &self.order {
            Order::Command(command) => Some(&command.id),
            Order::Unknown(id) => Some(id),
            Order::Idle => None,
        }
    }

    fn is_for_agents(&self) -> bool {
        match &self.order {
            Order::Command(command) => command.worker() == Worker::Agent,
            Order::Unknown(_) => true,
            Order::Idle => false,
        }
    }
}

/// What to do next. Each but `Wait` changes the journal, after which the question is asked anew.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// A former life began this and did not end it: find out what became of it, and answer. It is
    /// never run again.
    Recover(Box<Command>),
    /// Give up the download that runs: its record has gone.
    Abort(Box<Command>),
    /// Remember a record that asks nothing of this agent.
    Note(Entry),
    /// Say that a command is not obeyed.
    Refuse(Refusal),
    /// Say that a command waits for what runs.
    Queue(Queued),
    /// Give a repeated command the answer it had.
    AnswerAgain(Repeat),
    /// Begin. Where `end_by_ms` comes before the command's own timeout, it ends then.
    Start {
        /// The command.
        command: Box<Command>,
        /// On the agent's monotonic clock, in milliseconds.
        end_by_ms: u64,
    },
    /// Nothing to do until a record changes, work ends, or the clock shows this.
    Wait {
        /// On the agent's monotonic clock, in milliseconds; none when only an event can change
        /// anything.
        until_ms: Option<u64>,
    },
}

/// A command that is not obeyed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The command's target.
    pub target: Target,
    /// The command's server.
    pub server: ServerName,
    /// Its fence.
    pub fence: Fence,
    /// What is said.
    pub refused: CommandRefused,
}

impl Refusal {
    /// The journal's entry.
    #[must_use]
    pub fn entry(&self, stamp: Stamp) -> Entry {
        // A stale command may come again above the fence that stands in its way, and what this
        // version does not know the next one may; what came too late stays too late.
        let is_final = self.refused.reason == RefusedBecause::Late;
        Entry::Refused {
            target: self.target.clone(),
            server: self.server.clone(),
            id: self.refused.command.clone(),
            fence: self.fence,
            is_final,
            report: report_of(
                &Answer::from(self.refused.clone()),
                &self.target,
                None,
                stamp,
            ),
        }
    }
}

/// A command that came again under a higher fence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repeat {
    /// The higher fence.
    pub fence: Fence,
    /// What it was answered.
    pub answered: Answered,
    server: ServerName,
}

impl Repeat {
    /// The journal's entry.
    #[must_use]
    pub fn entry(&self, stamp: Stamp) -> Entry {
        let mut report = self.answered.report.clone();
        report.id = stamp.id;
        report.reported_at = stamp.at;
        Entry::Again {
            target: report.target.clone(),
            server: self.server.clone(),
            id: self.answered.id.clone(),
            fence: self.fence,
            report,
        }
    }
}

/// The agent of one machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Agent {
    /// Its machine.
    pub machine: MachineName,
}

impl Agent {
    /// What to do next, given all records that stand, at `now_ms` on a clock that never goes back.
    ///
    /// Ask until the answer is [`Decision::Wait`]; carry each answer into the journal first.
    #[must_use]
    pub fn next(&self, journal: &Journal, assigned: &[Assigned], now_ms: u64) -> Decision {
        let running = journal.running();
        if let Some(running) = running {
            if !running.this_life {
                return Decision::Recover(running.command.clone());
            }
            if is_superseded(&running.command, assigned) {
                return Decision::Abort(running.command.clone());
            }
        }
        let mut in_order: Vec<&Assigned> = assigned.iter().collect();
        // What has waited goes before what comes now, although it was given more time.
        in_order.sort_by_key(|one| (!queue::waits(journal, one), one.begin_by_ms, one.key()));
        let mut begin: Option<&Assigned> = None;
        let mut until_ms = None;
        for one in in_order {
            match self.judge(
                journal.server(&one.key()),
                running.map(|r| &r.command.id),
                one,
                now_ms,
            ) {
                Verdict::Nothing => {}
                Verdict::Now(decision) => return *decision,
                Verdict::Begin if running.is_some() || begin.is_some() => {
                    let notes = journal.server(&one.key());
                    if let Some(queued) = running.and_then(|r| queue::behind(notes, one, r)) {
                        return Decision::Queue(queued);
                    }
                    let late_at = one.begin_by_ms;
                    until_ms = Some(until_ms.map_or(late_at, |at: u64| at.min(late_at)));
                }
                Verdict::Begin => begin = Some(one),
            }
        }
        match begin.map(|one| (&one.order, one.end_by_ms)) {
            Some((Order::Command(command), end_by_ms)) => Decision::Start {
                command: command.clone(),
                end_by_ms,
            },
            Some((Order::Idle | Order::Unknown(_), _)) | None => Decision::Wait { until_ms },
        }
    }

    fn judge(
        &self,
        notes: Option<&ServerNotes>,
        running: Option<&CommandId>,
        one: &Assigned,
        now_ms: u64,
    ) -> Verdict {
        let highest = notes.map_or(Fence::default(), |notes| notes.highest.fence);
        let Some(id) = one.id().filter(|_| one.is_for_agents()) else {
            return note_if_higher(highest, one);
        };
        let refuse = |reason| {
            let is_new = notes.is_none_or(|n| !n.refused.contains(&(id.clone(), one.fence)));
            if is_new {
                Verdict::Now(Box::new(Decision::Refuse(one.refusal(id, reason, highest))))
            } else {
                Verdict::Nothing
            }
        };
        if one.machine != self.machine {
            return refuse(RefusedBecause::NotMine);
        }
        if notes.is_some_and(|notes| is_stale(notes, one.fence, id)) {
            return refuse(RefusedBecause::Stale);
        }
        if running == Some(id) {
            return Verdict::Nothing;
        }
        if let Some(answered) = notes.and_then(|notes| notes.answer_to(id)) {
            return again_if_higher(answered, one);
        }
        if !is_understood(&one.order) {
            return refuse(RefusedBecause::Unknown);
        }
        // A gateway that says 0 says that it is over.
        if now_ms >= one.begin_by_ms || now_ms >= one.end_by_ms {
            return refuse(RefusedBecause::Late);
        }
        Verdict::Begin
    }
}

enum Verdict {
    Nothing,
    Now(Box<Decision>),
    Begin,
}

impl Assigned {
    fn refusal(&self, id: &CommandId, reason: RefusedBecause, highest: Fence) -> Refusal {
        let highest = match reason {
            RefusedBecause::Stale | RefusedBecause::NotMine => highest,
            RefusedBecause::Late | RefusedBecause::Unknown | RefusedBecause::Other(_) => {
                highest.max(self.fence)
            }
        };
        Refusal {
            target: self.target.clone(),
            server: self.server.clone(),
            fence: self.fence,
            refused: CommandRefused {
                command: id.clone(),
                reason,
                highest,
            },
        }
    }
}

fn is_stale(notes: &ServerNotes, fence: Fence, id: &CommandId) -> bool {
    let highest = &notes.highest;
    fence < highest.fence || (fence == highest.fence && highest.id.as_ref() != Some(id))
}

/// Only a download may be given up; an installation or a test run ends by its own answer.
fn is_superseded(running: &Command, assigned: &[Assigned]) -> bool {
    matches!(running.work, Work::Fetch(_))
        && assigned.iter().any(|one| {
            one.target == running.target
                && one.server == running.server
                && one.fence > running.fence()
                && one.id() != Some(&running.id)
        })
}

fn note_if_higher(highest: Fence, one: &Assigned) -> Verdict {
    if one.fence <= highest {
        return Verdict::Nothing;
    }
    Verdict::Now(Box::new(Decision::Note(Entry::Noted {
        target: one.target.clone(),
        server: one.server.clone(),
        fence: one.fence,
        id: one.id().cloned(),
    })))
}

fn again_if_higher(answered: &Answered, one: &Assigned) -> Verdict {
    if one.fence <= answered.fence {
        return Verdict::Nothing;
    }
    Verdict::Now(Box::new(Decision::AnswerAgain(Repeat {
        fence: one.fence,
        answered: answered.clone(),
        server: one.server.clone(),
    })))
}

fn is_understood(order: &Order) -> bool {
    match order {
        Order::Command(command) => match &command.work {
            Work::Install(install) => match install.method {
                InstallKind::Archive | InstallKind::Command => true,
                InstallKind::Other(_) => false,
            },
            Work::Fetch(_)
            | Work::Test(_)
            | Work::Drain(_)
            | Work::Check(_)
            | Work::Restore(_)
            | Work::Hold(_)
            | Work::Watch(_) => true,
        },
        Order::Idle => true,
        Order::Unknown(_) => false,
    }
}
