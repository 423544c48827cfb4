//! TRX and xUnit.net in their dialects, and what no format may hide.

use events::FailedBecause::{self, CasesFailed, NoResults};
use poolshift_agent::results::{Unreadable, verdict};

fn judged(xml: &str) -> Result<(), FailedBecause> {
    let results = verdict(xml.as_bytes()).unwrap_or_else(|error| panic!("{xml}: {error}"));
    results.judge(1).map_err(|failure| failure.reason)
}

fn each(rows: &[(&str, Result<(), FailedBecause>)]) {
    for (xml, want) in rows {
        assert_eq!(judged(xml), *want, "{xml}");
    }
}

/// A run with these results, and a summary that begins with these attributes.
fn trx(results: &str, summary: &str) -> String {
    format!(
        "<TestRun><Results>{results}</Results><ResultSummary {summary}</ResultSummary></TestRun>"
    )
}

const PASSED: &str = r#"<UnitTestResult testName="a" outcome="Passed"/>"#;
const COMPLETED: &str = r#"outcome="Completed"><Counters total="1" failed="0"/>"#;

#[test]
fn trx_is_judged_by_its_summary() {
    for (results, summary, want) in [
        (PASSED, COMPLETED, Ok(())),
        // No test matched the filter: VSTest calls that completed.
        (
            "",
            r#"outcome="Completed"><Counters total="0"/>"#,
            Err(NoResults),
        ),
        // The host crashed after what had passed.
        (PASSED, r#"outcome="Aborted">"#, Err(CasesFailed)),
        (PASSED, r#"outcome="Failed">"#, Err(CasesFailed)),
        (
            PASSED,
            r#"outcome="Completed"><Counters total="1" timeout="1"/>"#,
            Err(CasesFailed),
        ),
        (
            PASSED,
            r#"outcome="Completed"><Counters total="3"/>"#,
            Err(NoResults),
        ),
    ] {
        assert_eq!(judged(&trx(results, summary)), want, "{results} {summary}");
    }
}

#[test]
fn trx_is_judged_by_its_results() {
    for (outcome, want) in [
        (r#"outcome="Passed""#, Ok(())),
        // VSTest leaves the outcome out where it is `Error`.
        ("", Err(CasesFailed)),
        (r#"outcome="Timeout""#, Err(CasesFailed)),
        (r#"outcome="NotExecuted""#, Err(NoResults)),
        (r#"outcome="NotRunnable""#, Err(CasesFailed)),
        (r#"outcome="Inconclusive""#, Err(CasesFailed)),
    ] {
        let result = format!(r#"<UnitTestResult testName="a" {outcome}/>"#);
        assert_eq!(judged(&trx(&result, COMPLETED)), want, "{outcome}");
    }
    // A row of a data-driven test fails, whatever the test around it says.
    let rows = r#"<UnitTestResult testName="a" outcome="Passed"><InnerResults>
        <UnitTestResult testName="a(1)" outcome="Failed"/></InnerResults></UnitTestResult>"#;
    assert_eq!(judged(&trx(rows, COMPLETED)), Err(CasesFailed));
}

#[test]
fn xunit_is_judged_by_its_tests_and_by_its_totals() {
    let of = |inside: &str, totals: &str| {
        format!("<assemblies><assembly {totals}>{inside}</assembly></assemblies>")
    };
    let pass = r#"<collection><test name="a" result="Pass"/></collection>"#;
    each(&[
        (&of(pass, r#"total="1""#), Ok(())),
        ("<assemblies/>", Err(NoResults)),
        (&of("", r#"total="0""#), Err(NoResults)),
        (&of(pass, r#"total="2""#), Err(NoResults)),
        (&of(pass, r#"total="1" errors="1""#), Err(CasesFailed)),
        // A clean-up that threw.
        (
            &of(
                &format!(
                    r#"<errors><error type="assembly-cleanup"><failure/></error></errors>{pass}"#
                ),
                "",
            ),
            Err(CasesFailed),
        ),
        (
            &of(
                r#"<collection><test name="a" result="Skip"/></collection>"#,
                "",
            ),
            Err(NoResults),
        ),
        // Version 3: left out on purpose.
        (
            &of(
                r#"<collection><test name="a" result="NotRun"/></collection>"#,
                "",
            ),
            Err(NoResults),
        ),
        // Version 1: the root is the assembly, and a fixture's failure lies in the class.
        (
            r#"<assembly><class><failure><message>no db</message></failure>
               <test name="a" result="Pass"/></class></assembly>"#,
            Err(CasesFailed),
        ),
    ]);
}

#[test]
fn a_case_inside_a_case_hides_no_failure() {
    each(&[(
        "<testsuite><testcase name='a'><failure/><testcase name='b'/></testcase></testsuite>",
        Err(CasesFailed),
    )]);
}

#[test]
fn what_did_not_run_is_told_apart() {
    for (xml, want) in [
        (
            r#"<testsuite><testcase><skipped/></testcase><testcase status="notrun"/></testsuite>"#,
            "none of 2 ran: 1 skipped or ignored, 1 not run",
        ),
        (
            "<testsuites/>",
            "the results file holds no test; was the filter right?",
        ),
    ] {
        let failure = verdict(xml.as_bytes())
            .expect("readable")
            .judge(1)
            .expect_err(xml);
        assert_eq!(failure.detail, want);
    }
}

#[test]
fn an_element_with_too_many_attributes_is_refused_at_once() {
    let many: String = (0..500_000).map(|n| format!(" a{n}=\"\"")).collect();
    let error = verdict(format!("<testsuite{many}/>").as_bytes());
    assert!(
        matches!(error, Err(Unreadable::TooBroad(256, _))),
        "{error:?}"
    );
}

#[test]
fn more_cases_than_any_suite_has_are_refused() {
    let many = "<testcase/>".repeat(1_000_001);
    let error = verdict(format!("<testsuite>{many}</testsuite>").as_bytes());
    assert_eq!(error, Err(Unreadable::TooMany));
}
