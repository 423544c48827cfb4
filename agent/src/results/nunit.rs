//! NUnit 2 (root `test-results`) and NUnit 3 (root `test-run`).

use super::Unreadable;
use super::tally::{Claim, Outcome, Tally};
use super::walk::Element;

pub(super) fn open_2(tally: &mut Tally, element: &Element) -> Result<(), Unreadable> {
    match element.name.as_str() {
        "test-results" => {
            let claim = Claim {
                tests: element.count("total")?,
                failed: element.any(&["failures", "errors"])?,
                not_runnable: element.any(&["invalid"])?,
            };
            tally.open_suite(element, claim);
        }
        "test-suite" => {
            let failed = match element.get("result") {
                Some(result) => matches!(result, "Failure" | "Error"),
                None => element.get("success") == Some("False"),
            };
            let claim = Claim {
                failed,
                ..Claim::default()
            };
            tally.open_suite(element, claim);
        }
        "test-case" => tally.open_case(element.label(), outcome_2(element)),
        "message" => tally.listen(true),
        _ => {}
    }
    Ok(())
}

/// NUnit 2.4 has no `result`, only `executed` and `success`.
fn outcome_2(element: &Element) -> Outcome {
    match element.get("result") {
        Some("Success") => Outcome::Passed,
        Some("Failure" | "Error" | "Cancelled") => Outcome::Failed,
        Some("Ignored" | "Skipped") => Outcome::Skipped,
        Some("Inconclusive") => Outcome::Inconclusive,
        Some("NotRunnable") => Outcome::NotRunnable,
        Some(_) => Outcome::NotRun,
        None => match (element.get("executed"), element.get("success")) {
            (Some("True"), Some("True")) => Outcome::Passed,
            (Some("True"), Some(_)) => Outcome::Failed,
            (Some("False"), _) => Outcome::Skipped,
            _ => Outcome::NotRun,
        },
    }
}

pub(super) fn open_3(tally: &mut Tally, element: &Element) -> Result<(), Unreadable> {
    match element.name.as_str() {
        "test-run" | "test-suite" => {
            let claim = Claim {
                tests: element.count("total")?,
                failed: element.any(&["failed"])? || element.get("result") == Some("Failed"),
                not_runnable: element.get("runstate") == Some("NotRunnable"),
            };
            tally.open_suite(element, claim);
        }
        "test-case" => tally.open_case(element.label(), outcome_3(element)),
        "message" => tally.listen(true),
        _ => {}
    }
    Ok(())
}

fn outcome_3(element: &Element) -> Outcome {
    let is_invalid = element.get("label") == Some("Invalid");
    match element.get("result") {
        _ if is_invalid => Outcome::NotRunnable,
        Some("Passed" | "Warning") => Outcome::Passed,
        Some("Failed") => Outcome::Failed,
        Some("Skipped") => Outcome::Skipped,
        Some("Inconclusive") => Outcome::Inconclusive,
        _ => Outcome::NotRun,
    }
}

pub(super) fn close(tally: &mut Tally, name: &str) {
    match name {
        "test-results" | "test-run" | "test-suite" => tally.close_suite(),
        "test-case" => tally.close_case(),
        "message" => tally.listen(false),
        _ => {}
    }
}
