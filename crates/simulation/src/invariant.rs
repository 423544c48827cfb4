//! The invariants of the design, and what it is when one does not hold.

use std::fmt;

/// An invariant of the design.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Invariant {
    /// A drain never leaves fewer than the floor UP.
    S1,
    /// An unproven server is never put online and gets no request.
    S2,
    /// One rollout at a time; none is dropped silently.
    S3,
    /// No command without the votes.
    S4,
    /// State is the fold of the events.
    S5,
    /// Duplicates, late answers, stale commands and stale orchestrators change nothing.
    S6,
    /// At most one batch runs an unproven version.
    S7,
    /// A piece of work is started once.
    S8,
    /// Nothing begins outside of its windows, in a freeze, or without the success it requires.
    S9,
    /// Every wait ends; nothing is forgotten.
    L1,
}

/// One violation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// Of which invariant.
    pub invariant: Invariant,
    /// What happened.
    pub what: String,
}

impl fmt::Display for Invariant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.invariant, self.what)
    }
}
