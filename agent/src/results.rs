//! Results of test suites: JUnit, NUnit 2 and 3, TRX and xUnit.net, recognised by their root
//! element.
//!
//! An exit code alone proves nothing: NUnit 2.6.4 on Linux ends with 0 after 256 failures (the
//! code is taken modulo 256) and after running no test at all. So counts come from the cases, and
//! are held against the totals that the file claims.

mod junit;
mod nunit;
mod tally;
mod text;
mod trx;
mod walk;
mod xunit;

use events::{Digest, FailedBecause, FailedCase, Failure, SuiteResult, sha256};

/// The largest results file that is read.
pub const RESULTS_BYTES_MAX: u64 = 32 * 1024 * 1024;

/// The most test cases that are read.
pub const RESULTS_CASES_MAX: u32 = 1_000_000;

/// What a results file says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Results {
    /// The form of the file.
    pub format: Format,
    /// Digest of the file.
    pub sha256: Digest,
    /// Test cases in the file.
    pub total: u32,
    /// Passed, with warnings too.
    pub passed: u32,
    /// Failed, or ended by an error.
    pub failed: u32,
    /// Left out on purpose.
    pub skipped: u32,
    /// Ran without a verdict.
    pub inconclusive: u32,
    /// Could not be run: NUnit found something wrong with the test itself.
    pub not_runnable: u32,
    /// Not run for other reasons.
    pub not_run: u32,
    /// Tests that the file's totals claim beyond the cases in it.
    pub missing: u32,
    /// Failed cases, at most [`Results::CASES_MAX`].
    pub cases: Vec<FailedCase>,
}

/// The form of a results file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Root `testsuites` or `testsuite`.
    JUnit,
    /// Root `test-results`.
    NUnit2,
    /// Root `test-run`.
    NUnit3,
    /// Root `TestRun`: VSTest, MSTest.
    Trx,
    /// Root `assemblies` or `assembly`: xUnit.net.
    XUnit,
}

impl Format {
    /// The word in answers.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::JUnit => "junit",
            Self::NUnit2 => "nunit2",
            Self::NUnit3 => "nunit3",
            Self::Trx => "trx",
            Self::XUnit => "xunit",
        }
    }
}

/// Why a results file cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// It is empty.
    #[error("the results file is empty")]
    Empty,
    /// It is larger than [`RESULTS_BYTES_MAX`].
    #[error("the results file is larger than {RESULTS_BYTES_MAX} bytes")]
    TooLarge,
    /// Elements lie in each other more than 100 deep.
    #[error("elements lie more than {0} deep at byte {1}")]
    TooDeep(usize, u64),
    /// It holds more than [`RESULTS_CASES_MAX`] cases.
    #[error("the results file holds more than {RESULTS_CASES_MAX} cases")]
    TooMany,
    /// An element has more attributes than any runner writes.
    #[error("an element has more than {0} attributes at byte {1}")]
    TooBroad(usize, u64),
    /// Its bytes are not text.
    #[error("the results file is neither UTF-8 nor UTF-16: bad byte at {0}")]
    NotText(usize),
    /// It declares a document type; entities are never expanded.
    #[error("it declares a document type; let the runner write plain XML without `<!DOCTYPE`")]
    DocumentType,
    /// The root element is of another format.
    #[error(
        "root element `{0}` is not of JUnit (`testsuites`, `testsuite`), NUnit (`test-results`, \
         `test-run`), TRX (`TestRun`) or xUnit.net (`assemblies`, `assembly`); let the runner write \
         one of these"
    )]
    UnknownRoot(String),
    /// A total is no plain number, and might hide a failure.
    #[error("{name} is {value:?}, which is no plain number; let the runner write one")]
    NoNumber {
        /// Which total, of which element.
        name: String,
        /// What stands there.
        value: String,
    },
    /// It is not well-formed, or ends in the middle.
    #[error("not well-formed at byte {at}: {why}")]
    Malformed {
        /// Where.
        at: u64,
        /// What the parser found.
        why: String,
    },
}

/// What a results file says, whatever its format.
///
/// # Errors
/// [`Unreadable`]: nothing is proved by it.
pub fn verdict(bytes: &[u8]) -> Result<Results, Unreadable> {
    if bytes.len() as u64 > RESULTS_BYTES_MAX {
        return Err(Unreadable::TooLarge);
    }
    let text = text::decode(bytes)?;
    let tally = walk::walk(&text)?;
    Ok(tally.results(sha256(bytes)))
}

impl Results {
    /// How many failed cases are kept.
    pub const CASES_MAX: usize = 50;
    /// How much of a case's message is kept, in bytes.
    pub const MESSAGE_BYTES_MAX: usize = 1024;

    /// Whether these results let a server back: at least `at_least` tests ran (never none), and
    /// nothing failed, was not runnable, or is missing.
    ///
    /// # Errors
    /// Why they do not.
    pub fn judge(&self, at_least: u32) -> Result<(), Failure> {
        let failed = |detail: String| Err(Failure::new(FailedBecause::CasesFailed, &detail));
        let unproved = |detail: String| Err(Failure::new(FailedBecause::NoResults, &detail));
        let ran = self.passed + self.failed;
        if self.failed > 0 {
            let first = self.cases.first().map_or("", |case| &case.name);
            return failed(format!(
                "{} of {} failed, first: {first}",
                self.failed, self.total
            ));
        }
        if self.not_runnable > 0 {
            return failed(format!(
                "{} of {} are not runnable",
                self.not_runnable, self.total
            ));
        }
        if self.passed == 0 && self.inconclusive > 0 {
            return failed(format!(
                "all {} that ran are inconclusive",
                self.inconclusive
            ));
        }
        if self.total == 0 {
            return unproved("the results file holds no test; was the filter right?".to_owned());
        }
        if self.missing > 0 {
            return unproved(format!(
                "the file's totals claim {} tests more than the {} in it",
                self.missing, self.total
            ));
        }
        if ran == 0 {
            let (skipped, not_run) = (self.skipped, self.not_run);
            return unproved(format!(
                "none of {} ran: {skipped} skipped or ignored, {not_run} not run",
                self.total
            ));
        }
        if ran < at_least {
            return unproved(format!(
                "{ran} of {} ran, at least {at_least} must",
                self.total
            ));
        }
        Ok(())
    }

    /// As an answer has it.
    #[must_use]
    pub fn suite(&self, name: &str) -> SuiteResult {
        SuiteResult {
            name: name.to_owned(),
            tests_sha256: None,
            results_sha256: Some(self.sha256),
            format: self.format.as_str().to_owned(),
            total: self.total,
            passed: self.passed,
            failed: self.failed,
            skipped: self.skipped,
            not_run: self.not_run + self.not_runnable + self.inconclusive,
            cases: self.cases.clone(),
        }
    }
}
