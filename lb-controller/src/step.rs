//! What goes into a look, and what comes out of it.

use events::{Answer, Target, Timestamp};

use crate::mark::Marks;
use crate::observed::{Admin, Observed, Saved};

/// The moment of a look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Now {
    /// A clock that never jumps, in milliseconds; every wait counts on it.
    pub ms: u64,
    /// The wall clock, for turning a command's deadline into a wait and for marks.
    pub wall: Timestamp,
}

/// Everything that a look rests on.
#[derive(Debug, Clone, Copy)]
pub struct Seen<'a> {
    /// What HAProxy says; none when it cannot be reached.
    pub haproxy: Option<&'a Observed>,
    /// What its state file on disk says.
    pub saved: &'a Saved,
    /// Our marks as they are on disk.
    pub marks: &'a Marks,
}

/// Something to do. After doing it, look again: nothing is assumed to have worked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Replace the file of marks, durably.
    WriteMarks(Marks),
    /// `set server BACKEND/LINE state ..`.
    SetState {
        /// Which backend.
        backend: String,
        /// Which line.
        line: String,
        /// What to ask of it.
        to: Admin,
    },
    /// `shutdown sessions server BACKEND/LINE`: ends what runs there.
    CutSessions {
        /// Which backend.
        backend: String,
        /// Which line.
        line: String,
    },
    /// Replace the state file by what `show servers state` says now, durably.
    SaveState,
}

/// Something to report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// What it is about.
    pub target: Target,
    /// What is said.
    pub answer: Answer,
}

/// What follows from a look: the actions are done in this order, and the rest is left out as soon as
/// one fails. The answers rest on what was seen, not on the actions, and are reported in any case.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Step {
    /// What to do.
    pub actions: Vec<Action>,
    /// What to report.
    pub replies: Vec<Reply>,
}
