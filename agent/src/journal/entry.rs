//! The lines of the journal.

use events::{
    AgentSeen, Answer, Command, CommandId, CommandStarted, Fence, Release, Report, ReportId,
    ServerName, Target, Timestamp, WireReport,
};
use serde::{Deserialize, Serialize};

use super::Journal;

/// What the outside gives to an entry: the id of the report that goes with it, and the time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stamp {
    /// Id of the report, kept over its retries.
    pub id: ReportId,
    /// The agent's own clock.
    pub at: Timestamp,
}

/// One line of the journal: a change of what the agent remembers, with the report that tells of
/// it. Both stand in one line so that a crash cannot part them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "entry", rename_all = "snake_case")]
pub enum Entry {
    /// A record was seen that asks nothing of this agent.
    Noted {
        /// The record's target.
        target: Target,
        /// The record's server.
        server: ServerName,
        /// Its fence.
        fence: Fence,
        /// Its command; none for `Idle`.
        id: Option<CommandId>,
    },
    /// A command was refused.
    Refused {
        /// The command's target.
        target: Target,
        /// The command's server.
        server: ServerName,
        /// The command.
        id: CommandId,
        /// Its fence.
        fence: Fence,
        /// Whether the refusal is for ever: it then is the command's answer.
        is_final: bool,
        /// The report that says so.
        report: WireReport,
    },
    /// A command waits for what runs.
    Queued {
        /// The command's target.
        target: Target,
        /// The command's server.
        server: ServerName,
        /// The command.
        id: CommandId,
        /// What runs.
        behind: CommandId,
        /// The report that says so.
        report: WireReport,
    },
    /// Work begins. Durable before it does.
    Started {
        /// The whole command: after a crash nobody may be there to say it again.
        command: Box<Command>,
        /// The agent's own clock.
        at: Timestamp,
        /// `CommandStarted`.
        report: WireReport,
    },
    /// Work ended, with an answer.
    Finished {
        /// The answer.
        report: WireReport,
        /// What was proved to run, where it was an installation that succeeded.
        proven: Option<Release>,
    },
    /// Work was given up because a newer record took its place. Nobody waits for this answer.
    Dropped {
        /// What is said if the command should ever come again.
        report: WireReport,
    },
    /// A command came again under a higher fence and got the answer it had.
    Again {
        /// The command's target.
        target: Target,
        /// The command's server.
        server: ServerName,
        /// The command.
        id: CommandId,
        /// The higher fence.
        fence: Fence,
        /// The answer, under a new report id.
        report: WireReport,
    },
    /// What runs on this machine was reported, for one target.
    Seen {
        /// `AgentSeen`.
        report: WireReport,
    },
    /// Reports were taken, or refused for good: they need not be sent again.
    Taken {
        /// Which ones.
        ids: Vec<ReportId>,
    },
    /// Everything so far: the first line of a compacted journal.
    Snapshot {
        /// The state.
        journal: Box<Journal>,
    },
}

impl Entry {
    /// The entry that begins a command.
    #[must_use]
    pub fn started(command: &Command, stamp: Stamp) -> Self {
        let answer = Answer::from(CommandStarted {
            command: command.id.clone(),
        });
        Self::Started {
            command: Box::new(command.clone()),
            at: stamp.at,
            report: wire(&answer, command, stamp),
        }
    }

    /// The entry that ends a command with its answer.
    #[must_use]
    pub fn finished(command: &Command, answer: &Answer, stamp: Stamp) -> Self {
        let proven = if let Answer::Installed(installed) = answer {
            Some(Release {
                version: installed.version.clone(),
                sha256: installed.sha256_runs,
            })
        } else {
            None
        };
        Self::Finished {
            report: wire(answer, command, stamp),
            proven,
        }
    }

    /// The entry that tells what runs, for one target.
    #[must_use]
    pub fn seen(target: &Target, seen: AgentSeen, stamp: Stamp) -> Self {
        Self::Seen {
            report: report_of(&Answer::from(seen), target, None, stamp),
        }
    }

    /// The entry that gives a command up for a newer record.
    #[must_use]
    pub fn dropped(command: &Command, answer: &Answer, stamp: Stamp) -> Self {
        Self::Dropped {
            report: wire(answer, command, stamp),
        }
    }
}

fn wire(answer: &Answer, command: &Command, stamp: Stamp) -> WireReport {
    let traceparent = command.traceparent.clone();
    report_of(answer, &command.target, traceparent, stamp)
}

/// An answer as it goes over the wire.
pub(crate) fn report_of(
    answer: &Answer,
    target: &Target,
    traceparent: Option<String>,
    stamp: Stamp,
) -> WireReport {
    let report = Report::from(answer.clone());
    WireReport {
        id: stamp.id,
        target: target.clone(),
        reported_at: stamp.at,
        kind: report.kind().to_owned(),
        version: report.version(),
        traceparent,
        body: serde_json::from_slice(&report.to_bytes()).unwrap_or_default(),
    }
}
