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

#[test]
fn trx_is_judged_by_its_results_and_by_its_summary() {
    let trx = |results: &str, summary: &str| {
        format!("<TestRun><Results>{results}</Results>{summary}</TestRun>")
    };
    let passed = r#"<UnitTestResult testName="a" outcome="Passed"/>"#;
    let good =
        r#"<ResultSummary outcome="Completed"><Counters total="1" failed="0"/></ResultSummary>"#;
    each(&[
        (&trx(passed, good), Ok(())),
        (&trx(passed, ""), Ok(())),
        // No test matched the filter: VSTest calls that completed.
        (
            &trx(
                "",
                r#"<ResultSummary outcome="Completed"><Counters total="0"/></ResultSummary>"#,
            ),
            Err(NoResults),
        ),
        // The host crashed after what had passed.
        (
            &trx(passed, r#"<ResultSummary outcome="Aborted"/>"#),
            Err(CasesFailed),
        ),
        (
            &trx(passed, r#"<ResultSummary outcome="Failed"/>"#),
            Err(CasesFailed),
        ),
        (
            &trx(
                passed,
                r#"<ResultSummary outcome="Completed"><Counters total="1" timeout="1"/></ResultSummary>"#,
            ),
            Err(CasesFailed),
        ),
        (
            &trx(
                passed,
                r#"<ResultSummary outcome="Completed"><Counters total="3"/></ResultSummary>"#,
            ),
            Err(NoResults),
        ),
        // VSTest leaves the outcome out where it is `Error`.
        (
            &trx(r#"<UnitTestResult testName="a"/>"#, ""),
            Err(CasesFailed),
        ),
        (
            &trx(
                r#"<UnitTestResult testName="a" outcome="NotExecuted"/>"#,
                good,
            ),
            Err(NoResults),
        ),
        (
            &trx(
                r#"<UnitTestResult testName="a" outcome="NotRunnable"/>"#,
                good,
            ),
            Err(CasesFailed),
        ),
        (
            &trx(
                r#"<UnitTestResult testName="a" outcome="Inconclusive"/>"#,
                good,
            ),
            Err(CasesFailed),
        ),
        // A row of a data-driven test fails, whatever the test around it says.
        (
            &trx(
                r#"<UnitTestResult testName="a" outcome="Passed"><InnerResults>
                    <UnitTestResult testName="a(1)" outcome="Failed"/></InnerResults></UnitTestResult>"#,
                good,
            ),
            Err(CasesFailed),
        ),
    ]);
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
