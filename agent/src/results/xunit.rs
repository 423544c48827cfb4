//! xUnit.net: version 2 and 3 (root `assemblies`), version 1 (root `assembly`), and whoever writes
//! the same, such as Fixie.

use super::Unreadable;
use super::tally::{Claim, Outcome, Tally};
use super::walk::Element;

pub(super) fn open(tally: &mut Tally, element: &Element) -> Result<(), Unreadable> {
    match element.name.as_str() {
        "assemblies" | "assembly" | "collection" | "class" => {
            let claim = Claim {
                tests: element.count("total")?,
                failed: element.any(&["failed", "errors"])?,
                not_runnable: false,
            };
            tally.open_suite(element, claim);
        }
        "test" => tally.open_case(element.label(), outcome(element)),
        "failure" | "error" => {
            if tally.is_in_case() {
                tally.case_is(Outcome::Failed, None);
            } else {
                // A clean-up or a fixture that threw.
                let suite = tally.suite_name();
                tally.fail_outside_a_case(&suite, &element.name);
            }
        }
        "message" => tally.listen(true),
        _ => {}
    }
    Ok(())
}

pub(super) fn close(tally: &mut Tally, name: &str) {
    match name {
        "assemblies" | "assembly" | "collection" | "class" => tally.close_suite(),
        "test" => tally.close_case(),
        "message" => tally.listen(false),
        _ => {}
    }
}

fn outcome(element: &Element) -> Outcome {
    match element.get("result") {
        Some("Pass") => Outcome::Passed,
        Some("Fail") => Outcome::Failed,
        Some("Skip") => Outcome::Skipped,
        Some(_) | None => Outcome::NotRun,
    }
}
