//! What a verb answers.

use std::io::{ErrorKind, Write as _, stdout};

use anyhow::Context as _;
use serde::Serialize;

use crate::exit;

/// What is printed to stdout, and what `poolshift` exits with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Said {
    /// The text, without a line end.
    pub(crate) text: String,
    /// The exit code.
    pub(crate) code: u8,
}

impl Said {
    /// All went well.
    pub(crate) fn done(text: impl Into<String>) -> Self {
        Self::new(exit::DONE, text)
    }

    /// With its exit code.
    pub(crate) fn new(code: u8, text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            code,
        }
    }

    /// As JSON on one line, or as `text`.
    pub(crate) fn either(
        json: bool,
        document: &impl Serialize,
        text: impl FnOnce() -> String,
    ) -> anyhow::Result<Self> {
        if json {
            Ok(Self::done(serde_json::to_string(document)?))
        } else {
            Ok(Self::done(text()))
        }
    }
}

/// Writes a line to stdout at once. Whoever reads no further, such as `head`, is no error.
pub(crate) fn line(text: &str) -> anyhow::Result<()> {
    let mut out = stdout().lock();
    match writeln!(out, "{text}").and_then(|()| out.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(error).context("cannot write to stdout")
        }
        Ok(()) | Err(_) => Ok(()),
    }
}
