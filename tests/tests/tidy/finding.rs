//! What a rule finds.

use std::fmt;

/// One place that breaks a rule.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Finding {
    /// The file, from the root of the workspace.
    pub(crate) file: String,
    /// The line, from 1.
    pub(crate) line: usize,
    /// What is wrong there.
    pub(crate) what: String,
}

impl Finding {
    pub(crate) fn new(file: &str, line: usize, what: impl Into<String>) -> Self {
        Self {
            file: file.to_owned(),
            line,
            what: what.into(),
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.file, self.line, self.what)
    }
}

/// Passes if nothing was found; else fails with every place and the mend.
#[track_caller]
pub(crate) fn none(findings: impl IntoIterator<Item = Finding>, mend: &str) {
    let mut lines: Vec<String> = findings
        .into_iter()
        .map(|finding| finding.to_string())
        .collect();
    lines.sort();
    assert!(lines.is_empty(), "\n{}\nmend: {mend}\n", lines.join("\n"));
}
