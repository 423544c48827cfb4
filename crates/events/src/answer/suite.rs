//! Answers to a `Test`: the results of its suites.

use serde::{Deserialize, Serialize};

use super::check::AnsweredBy;
use super::failure::Failure;
use super::output::Output;
use crate::digest::Digest;
use crate::id::CommandId;

/// One suite's results.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SuiteResult {
    /// Its name.
    pub name: String,
    /// Digest of the package that it was run from; none: it lay in the artifact itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tests_sha256: Option<Digest>,
    /// Digest of the results file; none when there was none.
    pub results_sha256: Option<Digest>,
    /// `junit`, `nunit2`, `nunit3`.
    pub format: String,
    /// Tests that the file tells of.
    pub total: u32,
    /// Passed.
    pub passed: u32,
    /// Failed, errors included.
    pub failed: u32,
    /// Left out on purpose.
    pub skipped: u32,
    /// Not run for other reasons, or without a verdict.
    pub not_run: u32,
    /// Failed cases, at most [`FailedCase::COUNT_MAX`] over all suites of one answer.
    pub cases: Vec<FailedCase>,
}

/// One failed test case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FailedCase {
    /// Its name.
    pub name: String,
    /// What it said, masked, cut.
    pub message: String,
}

impl FailedCase {
    /// How many failed cases one answer tells of, over all its suites; `failed` counts them all.
    pub const COUNT_MAX: usize = 50;
    /// The longest name and message together, in bytes.
    pub const BYTES_MAX: usize = 1024;
}

/// All suites passed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TestsPassed {
    /// Which command.
    pub command: CommandId,
    /// Each suite.
    pub suites: Vec<SuiteResult>,
    /// Who answered before the suites and after them.
    pub answered_by: AnsweredBy,
    /// What the suites printed.
    pub output: Output,
}

/// A suite failed, or proved nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TestsFailed {
    /// Which command.
    pub command: CommandId,
    /// Why.
    pub failure: Failure,
    /// Each suite that ran.
    pub suites: Vec<SuiteResult>,
    /// Who answered, as far as known.
    pub answered_by: AnsweredBy,
    /// What the suites printed.
    pub output: Output,
}
