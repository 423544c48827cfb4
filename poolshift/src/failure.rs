//! Why a verb could not do what it was asked: what, where, and how to mend it.

use std::fmt;

use serde::ser::SerializeMap as _;
use serde::{Serialize, Serializer};

use crate::exit;

/// What people are told instead of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failure {
    /// What `poolshift` exits with.
    pub(crate) code: u8,
    what: String,
    notes: Vec<(&'static str, String)>,
}

impl Failure {
    /// Something is wrong with what was asked.
    pub(crate) fn refused(what: impl Into<String>) -> Self {
        Self::new(exit::REFUSED, what)
    }

    /// With its exit code.
    pub(crate) fn new(code: u8, what: impl Into<String>) -> Self {
        Self {
            code,
            what: what.into(),
            notes: Vec::new(),
        }
    }

    /// Where it is.
    pub(crate) fn place(self, place: impl Into<String>) -> Self {
        self.note("where", place)
    }

    /// How to mend it.
    pub(crate) fn mend(self, mend: impl Into<String>) -> Self {
        self.note("mend", mend)
    }

    /// One more line about it.
    pub(crate) fn note(mut self, label: &'static str, text: impl Into<String>) -> Self {
        self.notes.push((label, text.into()));
        self
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)?;
        for (label, text) in &self.notes {
            write!(f, "\n  {label}: {text}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Failure {}

/// As an object: `what`, then a field for each line about it.
impl Serialize for Failure {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = serializer.serialize_map(Some(self.notes.len() + 1))?;
        object.serialize_entry("what", &self.what)?;
        for (label, text) in &self.notes {
            object.serialize_entry(label, text)?;
        }
        object.end()
    }
}
