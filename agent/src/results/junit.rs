//! JUnit: whatever Ant, Surefire, pytest, gtest and others call so. Attributes may be missing,
//! suites nested, durations negative or absurd (they are not looked at).

use super::Unreadable;
use super::tally::{Claim, Outcome, Tally};
use super::walk::Element;

pub(super) fn open(tally: &mut Tally, element: &Element) -> Result<(), Unreadable> {
    match element.name.as_str() {
        "testsuites" | "testsuite" => {
            let claim = Claim {
                tests: element.count("tests")?,
                failed: element.any(&["failures", "errors"])?,
                not_runnable: false,
            };
            tally.open_suite(element, claim);
        }
        "testcase" => {
            let class = element.get("classname").unwrap_or_default();
            let dot = if class.is_empty() { "" } else { "." };
            let name = format!("{class}{dot}{}", element.label());
            // gtest says so for a test that a filter or DISABLED_ left out.
            let is_not_run = element.get("status") == Some("notrun");
            let outcome = if is_not_run {
                Outcome::NotRun
            } else {
                Outcome::Passed
            };
            tally.open_case(name, outcome);
        }
        "failure" | "error" => {
            let message = element.get("message");
            if tally.is_in_case() {
                tally.case_is(Outcome::Failed, message);
                tally.listen(message.is_none());
            } else {
                let suite = tally.suite_name();
                tally.fail_outside_a_case(&suite, message.unwrap_or(&element.name));
            }
        }
        "skipped" => tally.case_is(Outcome::Skipped, None),
        _ => {}
    }
    Ok(())
}

pub(super) fn close(tally: &mut Tally, name: &str) {
    match name {
        "testsuites" | "testsuite" => tally.close_suite(),
        "testcase" => tally.close_case(),
        "failure" | "error" => tally.listen(false),
        _ => {}
    }
}
