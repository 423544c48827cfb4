//! TRX (root `TestRun`): what VSTest and MSTest write.

use super::Unreadable;
use super::tally::{Claim, Outcome, Tally};
use super::walk::Element;

pub(super) fn open(tally: &mut Tally, element: &Element) -> Result<(), Unreadable> {
    match element.name.as_str() {
        "TestRun" => tally.open_suite(element, Claim::default()),
        name if is_result(name) => {
            let name = element.get("testName").unwrap_or("(no name)").to_owned();
            tally.open_case(name, outcome(element));
        }
        "Message" => tally.listen(true),
        "ResultSummary" => tally.claim(&Claim {
            failed: !matches!(
                element.get("outcome"),
                Some("Completed" | "Passed" | "Warning" | "NotExecuted" | "Inconclusive")
            ),
            ..Claim::default()
        }),
        "Counters" => {
            tally.claim(&Claim {
                tests: element.count("total")?,
                failed: element.any(&["failed", "error", "timeout", "aborted", "disconnected"])?,
                not_runnable: element.any(&["notRunnable"])?,
            });
        }
        _ => {}
    }
    Ok(())
}

pub(super) fn close(tally: &mut Tally, name: &str) {
    match name {
        "TestRun" => tally.close_suite(),
        name if is_result(name) => tally.close_case(),
        "Message" => tally.listen(false),
        _ => {}
    }
}

/// Each kind of test has an element of its own; rows of a data-driven test lie inside its own.
fn is_result(name: &str) -> bool {
    matches!(
        name,
        "UnitTestResult"
            | "GenericTestResult"
            | "ManualTestResult"
            | "TestResult"
            | "TestResultAggregation"
            | "WebTestResult"
            | "LoadTestResult"
    )
}

/// VSTest leaves `outcome` out where it is `Error`, the first value of its `TestOutcome`.
fn outcome(element: &Element) -> Outcome {
    match element.get("outcome") {
        Some("Passed" | "Warning") => Outcome::Passed,
        Some("NotExecuted") => Outcome::Skipped,
        Some("Inconclusive" | "Completed") => Outcome::Inconclusive,
        Some("NotRunnable") => Outcome::NotRunnable,
        Some("Pending") => Outcome::NotRun,
        Some(_) | None => Outcome::Failed,
    }
}
