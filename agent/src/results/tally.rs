//! Counting cases, and holding the counts against what the file claims.

use events::{Digest, FailedCase, cut};

use super::walk::Element;
use super::{Format, Results};

/// What became of one case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    Passed,
    Failed,
    Skipped,
    Inconclusive,
    NotRunnable,
    NotRun,
}

/// What a suite, or the whole file, claims about the cases inside.
#[derive(Debug, Default)]
pub(super) struct Claim {
    /// Tests that ran or at least exist.
    pub(super) tests: u32,
    /// Whether anything in it failed.
    pub(super) failed: bool,
    /// Whether anything in it is not runnable.
    pub(super) not_runnable: bool,
}

struct Suite {
    name: String,
    claim: Claim,
    total_before: u32,
    failed_before: u32,
    not_runnable_before: u32,
    missing_before: u32,
}

struct Case {
    name: String,
    outcome: Outcome,
    message: String,
}

/// The counts so far.
pub(super) struct Tally {
    format: Format,
    suites: Vec<Suite>,
    case: Option<Case>,
    /// How many elements of a failure we are inside of.
    in_failure: bool,
    total: u32,
    passed: u32,
    failed: u32,
    skipped: u32,
    inconclusive: u32,
    not_runnable: u32,
    not_run: u32,
    missing: u32,
    cases: Vec<FailedCase>,
}

impl Tally {
    pub(super) const fn new(format: Format) -> Self {
        Self {
            format,
            suites: Vec::new(),
            case: None,
            in_failure: false,
            total: 0,
            passed: 0,
            failed: 0,
            skipped: 0,
            inconclusive: 0,
            not_runnable: 0,
            not_run: 0,
            missing: 0,
            cases: Vec::new(),
        }
    }

    pub(super) const fn format(&self) -> Format {
        self.format
    }

    pub(super) fn open_suite(&mut self, element: &Element, claim: Claim) {
        self.suites.push(Suite {
            name: element.label(),
            claim,
            total_before: self.total,
            failed_before: self.failed,
            not_runnable_before: self.not_runnable,
            missing_before: self.missing,
        });
    }

    /// A suite that claims more than its cases show is believed where it speaks of failure, and
    /// never where it speaks of success.
    pub(super) fn close_suite(&mut self) {
        let Some(suite) = self.suites.pop() else {
            return;
        };
        if suite.claim.failed
            && self.failed == suite.failed_before
            && self.not_runnable == suite.not_runnable_before
        {
            self.fail_outside_a_case(&suite.name, "the file says that something failed here");
        }
        if suite.claim.not_runnable && self.not_runnable == suite.not_runnable_before {
            self.not_runnable += 1;
        }
        // Its own children may have told of the same missing cases already.
        let missing = self.missing - suite.missing_before;
        let held = (self.total - suite.total_before).saturating_add(missing);
        let more = suite.claim.tests.saturating_sub(held);
        self.missing = self.missing.saturating_add(more);
    }

    /// A failure that belongs to no case, such as a set-up that threw.
    pub(super) fn fail_outside_a_case(&mut self, name: &str, message: &str) {
        self.push(&Case {
            name: name.to_owned(),
            outcome: Outcome::Failed,
            message: message.to_owned(),
        });
    }

    pub(super) fn suite_name(&self) -> String {
        let last = self.suites.last();
        last.map_or_else(|| "(no name)".to_owned(), |suite| suite.name.clone())
    }

    /// What the innermost open suite claims in an element of its own.
    pub(super) fn claim(&mut self, more: &Claim) {
        if let Some(suite) = self.suites.last_mut() {
            suite.claim.tests = suite.claim.tests.max(more.tests);
            suite.claim.failed |= more.failed;
            suite.claim.not_runnable |= more.not_runnable;
        }
    }

    /// How many cases there were so far.
    pub(super) const fn total(&self) -> u32 {
        self.total
    }

    /// A case inside a case is one more: neither may hide the other's failure.
    pub(super) fn open_case(&mut self, name: String, outcome: Outcome) {
        self.close_case();
        self.case = Some(Case {
            name,
            outcome,
            message: String::new(),
        });
    }

    pub(super) const fn is_in_case(&self) -> bool {
        self.case.is_some()
    }

    /// What an element inside the case says of it. A failure outweighs all else.
    pub(super) fn case_is(&mut self, outcome: Outcome, message: Option<&str>) {
        if let Some(case) = &mut self.case {
            if case.outcome != Outcome::Failed {
                case.outcome = outcome;
            }
            case.message.push_str(message.unwrap_or_default());
        }
    }

    pub(super) fn close_case(&mut self) {
        self.in_failure = false;
        if let Some(case) = self.case.take() {
            self.push(&case);
        }
    }

    pub(super) const fn listen(&mut self, on: bool) {
        self.in_failure = on;
    }

    /// Text of the element that we are in.
    pub(super) fn say(&mut self, text: &str) {
        if let (true, Some(case)) = (self.in_failure, &mut self.case) {
            let room = (Results::MESSAGE_BYTES_MAX * 2).saturating_sub(case.message.len());
            case.message.push_str(&cut(text, room));
        }
    }

    fn push(&mut self, case: &Case) {
        self.total += 1;
        match case.outcome {
            Outcome::Passed => self.passed += 1,
            Outcome::Failed => {
                self.failed += 1;
                if self.cases.len() < Results::CASES_MAX {
                    self.cases.push(FailedCase {
                        name: cut(&case.name, 256),
                        message: case.message.trim().to_owned(),
                    });
                }
            }
            Outcome::Skipped => self.skipped += 1,
            Outcome::Inconclusive => self.inconclusive += 1,
            Outcome::NotRunnable => self.not_runnable += 1,
            Outcome::NotRun => self.not_run += 1,
        }
    }

    pub(super) fn results(self, sha256: Digest) -> Results {
        Results {
            format: self.format,
            sha256,
            total: self.total,
            passed: self.passed,
            failed: self.failed,
            skipped: self.skipped,
            inconclusive: self.inconclusive,
            not_runnable: self.not_runnable,
            not_run: self.not_run,
            missing: self.missing,
            cases: self.cases,
        }
    }
}
