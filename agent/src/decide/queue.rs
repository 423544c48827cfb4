//! Commands that wait until the one piece of work that runs has ended.

use events::{Answer, CommandQueued, ServerName, Target};

use super::Assigned;
use crate::journal::{Entry, Journal, Running, ServerNotes, Stamp, report_of};

/// A command that waits for what runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Queued {
    /// The command's target.
    pub target: Target,
    /// The command's server.
    pub server: ServerName,
    /// What is said.
    pub queued: CommandQueued,
}

impl Queued {
    /// The journal's entry.
    #[must_use]
    pub fn entry(&self, stamp: Stamp) -> Entry {
        let said = &self.queued;
        Entry::Queued {
            target: self.target.clone(),
            server: self.server.clone(),
            id: said.command.clone(),
            behind: said.behind.clone(),
            report: report_of(&Answer::from(said.clone()), &self.target, None, stamp),
        }
    }
}

/// What is to be said of a command that waits, unless it was said.
pub(super) fn behind(
    notes: Option<&ServerNotes>,
    one: &Assigned,
    running: &Running,
) -> Option<Queued> {
    let id = one.id()?;
    let behind = &running.command.id;
    let said = notes.and_then(|notes| notes.queued.as_ref());
    if said.is_some_and(|(waits, before)| waits == id && before == behind) {
        return None;
    }
    Some(Queued {
        target: one.target.clone(),
        server: one.server.clone(),
        queued: CommandQueued {
            command: id.clone(),
            behind: behind.clone(),
            behind_target: running.command.target.clone(),
            at_most_ms: running.command.timeout_ms,
        },
    })
}

/// Whether a command was said to wait.
pub(super) fn waits(journal: &Journal, one: &Assigned) -> bool {
    let notes = journal.server(&one.key());
    let queued = notes.and_then(|notes| notes.queued.as_ref());
    queued.is_some_and(|(id, _)| one.id() == Some(id))
}
