//! Results files as runners really write them, and what they let happen.

use events::FailedBecause::{self, CasesFailed, NoResults};
use poolshift_agent::results::Format::{self, JUnit, NUnit2, NUnit3, Trx, XUnit};
use poolshift_agent::results::{Results, Unreadable, verdict};

fn sample(name: &str) -> Vec<u8> {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/samples");
    std::fs::read(path.join(name)).expect("a sample")
}

fn results(name: &str) -> Results {
    verdict(&sample(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// Name, format, (total, passed, failed, skipped, inconclusive, not runnable), verdict.
type Row = (&'static str, Format, [u32; 6], Option<FailedBecause>);

static TABLE: &[Row] = &[
    ("nunit2-pass.xml", NUnit2, [2, 2, 0, 0, 0, 0], None),
    ("nunit2-http-pass.xml", NUnit2, [2, 2, 0, 0, 0, 0], None),
    (
        "nunit2-all.xml",
        NUnit2,
        [10, 3, 5, 1, 1, 0],
        Some(CasesFailed),
    ),
    (
        "nunit2-fail.xml",
        NUnit2,
        [1, 0, 1, 0, 0, 0],
        Some(CasesFailed),
    ),
    (
        "nunit2-fixturesetuperror.xml",
        NUnit2,
        [2, 0, 2, 0, 0, 0],
        Some(CasesFailed),
    ),
    (
        "nunit2-http-nourl.xml",
        NUnit2,
        [2, 0, 2, 0, 0, 0],
        Some(CasesFailed),
    ),
    (
        "nunit2-http-wrongversion.xml",
        NUnit2,
        [2, 1, 1, 0, 0, 0],
        Some(CasesFailed),
    ),
    // Its exit code was 0: 256 failures modulo 256.
    (
        "nunit2-many256.xml",
        NUnit2,
        [256, 0, 256, 0, 0, 0],
        Some(CasesFailed),
    ),
    // Its exit code was 0: nothing ran.
    (
        "nunit2-ignored.xml",
        NUnit2,
        [1, 0, 0, 1, 0, 0],
        Some(NoResults),
    ),
    (
        "nunit2-notrunnable-badcategory.xml",
        NUnit2,
        [2, 0, 0, 0, 0, 2],
        Some(CasesFailed),
    ),
    (
        "enricomi--nunit-mstest-pickles.xml",
        NUnit2,
        [4, 3, 1, 0, 0, 0],
        Some(CasesFailed),
    ),
    (
        "enricomi--nunit-nunit3-jenkins-NUnit-correct.xml",
        NUnit2,
        [28, 18, 2, 4, 1, 3],
        Some(CasesFailed),
    ),
    // Claims 4 tests and holds 3: something was lost, so it proves nothing.
    (
        "enricomi--nunit-nunit3-jenkins-NUnit-ignored.xml",
        NUnit2,
        [3, 1, 0, 2, 0, 0],
        Some(NoResults),
    ),
    (
        "dorny--dotnet-nunit.xml",
        NUnit3,
        [9, 3, 5, 1, 0, 0],
        Some(CasesFailed),
    ),
    (
        "dorny--nunit-sample.xml",
        NUnit3,
        [18, 12, 2, 1, 1, 2],
        Some(CasesFailed),
    ),
    (
        "junit-TESTS-TestSuites.xml",
        JUnit,
        [3, 3, 0, 0, 0, 0],
        None,
    ),
    // Claims 1 test and holds 2, with durations that cannot be: both passed.
    (
        "junit-junit-report-bad-duration.xml",
        JUnit,
        [2, 2, 0, 0, 0, 0],
        None,
    ),
    (
        "dorny--dotnet-trx.trx",
        Trx,
        [11, 5, 5, 1, 0, 0],
        Some(CasesFailed),
    ),
    (
        "enricomi--trx-nunit-NUnit-netcoreapp3.1-sample.trx",
        Trx,
        [6, 2, 3, 1, 0, 0],
        Some(CasesFailed),
    ),
    (
        "enricomi--trx-xunit-xUnit-netcoreapp3.1-sample.trx",
        Trx,
        [6, 2, 3, 1, 0, 0],
        Some(CasesFailed),
    ),
    (
        "enricomi--xunit-mstest-fixie.xml",
        XUnit,
        [7, 3, 3, 1, 0, 0],
        Some(CasesFailed),
    ),
    (
        "enricomi--xunit-mstest-pickles.xml",
        XUnit,
        [4, 3, 1, 0, 0, 0],
        Some(CasesFailed),
    ),
    // Claims 456 tests and holds 5.
    (
        "junit-junit-report-1233.xml",
        JUnit,
        [5, 5, 0, 0, 0, 0],
        Some(NoResults),
    ),
];

#[test]
fn every_sample_gets_its_counts_and_its_verdict() {
    for (name, format, counts, want) in TABLE {
        let results = results(name);
        let found = [
            results.total,
            results.passed,
            results.failed,
            results.skipped,
            results.inconclusive,
            results.not_runnable,
        ];
        assert_eq!((results.format, found), (*format, *counts), "{name}");
        let verdict = results.judge(1).err().map(|failure| failure.reason);
        assert_eq!(&verdict, want, "{name}");
    }
}

#[test]
fn every_sample_is_in_the_table() {
    let known: Vec<&str> = TABLE.iter().map(|row| row.0).collect();
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/samples");
    for entry in std::fs::read_dir(folder).expect("samples") {
        let name = entry
            .expect("a file")
            .file_name()
            .into_string()
            .expect("text");
        let listed = name == "SOURCES.md" || known.contains(&name.as_str());
        assert!(listed, "{name} has no row");
    }
}

#[test]
fn failed_cases_keep_name_and_message_and_no_more_than_fifty_of_them() {
    let all = results("nunit2-all.xml");
    let first = &all.cases[0];
    assert_eq!(first.name, "Rollout.Tests.Basic.Fails");
    assert!(
        first.message.contains("Expected: \"v2\""),
        "{}",
        first.message
    );
    assert_eq!(
        results("nunit2-many256.xml").cases.len(),
        Results::CASES_MAX
    );
}

#[test]
fn fewer_tests_than_asked_for_prove_nothing() {
    let pass = results("nunit2-pass.xml");
    assert!(pass.judge(2).is_ok());
    let failure = pass.judge(3).expect_err("only 2 ran");
    assert_eq!(failure.reason, NoResults);
    assert_eq!(failure.detail, "2 of 2 ran, at least 3 must");
}

fn judged(xml: &str) -> Result<(), FailedBecause> {
    let results = verdict(xml.as_bytes()).unwrap_or_else(|error| panic!("{xml}: {error}"));
    results.judge(1).map_err(|failure| failure.reason)
}

#[test]
fn junit_in_all_its_dialects() {
    for (xml, want) in [
        (r#"<testsuite><testcase name="a"/></testsuite>"#, Ok(())),
        (
            r#"<testsuites><testsuite><testsuite><testcase/></testsuite></testsuite></testsuites>"#,
            Ok(()),
        ),
        (r#"<testsuite tests="0"/>"#, Err(NoResults)),
        (
            r#"<testsuite><testcase name="a"><skipped/></testcase></testsuite>"#,
            Err(NoResults),
        ),
        (
            r#"<testsuite><testcase name="a" status="notrun"/></testsuite>"#,
            Err(NoResults),
        ),
        (
            r#"<testsuite><testcase><failure/></testcase></testsuite>"#,
            Err(CasesFailed),
        ),
        (
            r#"<testsuite><testcase><error/></testcase></testsuite>"#,
            Err(CasesFailed),
        ),
        // A failure after a skip is a failure.
        (
            r#"<testsuite><testcase><failure/><skipped/></testcase></testsuite>"#,
            Err(CasesFailed),
        ),
        // A suite that could not even be set up.
        (
            r#"<testsuite><error message="no db"/><testcase/></testsuite>"#,
            Err(CasesFailed),
        ),
        // Totals that tell of a failure which no case shows.
        (
            r#"<testsuite failures="1"><testcase/></testsuite>"#,
            Err(CasesFailed),
        ),
        // A test that passed when it was tried again.
        (
            r#"<testsuite><testcase><flakyFailure>x</flakyFailure></testcase></testsuite>"#,
            Ok(()),
        ),
        // Nested suites whose parent counts for all of them.
        (
            r#"<testsuites tests="2"><testsuite tests="2"><testcase/><testcase/></testsuite></testsuites>"#,
            Ok(()),
        ),
        (
            r#"<testsuite tests="2"><testcase/></testsuite>"#,
            Err(NoResults),
        ),
    ] {
        assert_eq!(judged(xml), want, "{xml}");
    }
}

#[test]
fn nunit_suites_that_failed_without_a_case_fail() {
    let torn_down = r#"<test-run result="Failed" total="1" failed="0"><test-suite result="Failed"
        site="TearDown" name="F"><test-case name="a" result="Passed"/></test-suite></test-run>"#;
    assert_eq!(judged(torn_down), Err(CasesFailed));
    let inconclusive = r#"<test-results total="1" inconclusive="1">
        <test-case name="a" executed="True" result="Inconclusive" success="False"/></test-results>"#;
    assert_eq!(judged(inconclusive), Err(CasesFailed));
    let warned = r#"<test-run result="Warning" total="1"><test-case result="Warning"/></test-run>"#;
    assert_eq!(judged(warned), Ok(()));
}

#[test]
fn what_is_not_whole_well_formed_results_proves_nothing() {
    let whole = sample("nunit2-pass.xml");
    for length in 0..whole.len() {
        assert!(verdict(&whole[..length]).is_err(), "cut at {length}");
    }
    let bomb = r#"<!DOCTYPE t [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><testsuite name="&b;"/>"#;
    assert_eq!(verdict(bomb.as_bytes()), Err(Unreadable::DocumentType));
    let deep = "<testsuite>".repeat(200_000);
    assert!(matches!(
        verdict(deep.as_bytes()),
        Err(Unreadable::TooDeep(100, _))
    ));
    let twice = "<testsuite><testcase/></testsuite><testsuite/>";
    assert!(matches!(
        verdict(twice.as_bytes()),
        Err(Unreadable::Malformed { .. })
    ));
    assert!(matches!(
        verdict(b"\xC3\x28<testsuite/>"),
        Err(Unreadable::NotText(0))
    ));
    let large = vec![b' '; 32 * 1024 * 1024 + 1];
    assert_eq!(verdict(&large), Err(Unreadable::TooLarge));
}

#[test]
fn a_total_that_is_no_plain_number_proves_nothing() {
    let around = [
        ("<testsuite failures='@'>", "<testcase/></testsuite>"),
        (
            "<testsuites errors='@'><testsuite>",
            "<testcase/></testsuite></testsuites>",
        ),
        ("<testsuite tests='@'>", "<testcase/></testsuite>"),
        (
            "<test-run failed='@'>",
            "<test-case result='Passed'/></test-run>",
        ),
        (
            "<test-results failures='0' errors='@'>",
            "<test-case result='Success'/></test-results>",
        ),
        (
            "<assembly failed='1' errors='@'>",
            "<test result='Pass'/></assembly>",
        ),
        (
            "<TestRun><Counters aborted='@'/>",
            "<UnitTestResult outcome='Passed'/></TestRun>",
        ),
    ];
    for (before, after) in around {
        for value in ["99999999999", "1,000", "1.0", "-1", "", "none"] {
            let xml = format!("{}{after}", before.replace('@', value));
            let said = verdict(xml.as_bytes());
            assert!(
                matches!(said, Err(Unreadable::NoNumber { .. })),
                "{xml}: {said:?}"
            );
        }
    }
    let most = "<testsuite tests='4294967295'><testcase/></testsuite>";
    assert_eq!(
        judged(&format!("<testsuites>{most}{most}</testsuites>")),
        Err(NoResults)
    );
}

#[test]
fn text_around_the_root_element_proves_nothing() {
    let good = "<testsuite><testcase/></testsuite>";
    for text in ["log line", "<![CDATA[x]]>", "&#65;", "&lt;", "\u{feff}"] {
        for xml in [format!("{text}{good}"), format!("{good}\n{text}\n")] {
            // A mark at the very beginning is one of its encoding.
            if xml.starts_with('\u{feff}') {
                continue;
            }
            let said = verdict(xml.as_bytes());
            assert!(
                matches!(said, Err(Unreadable::Malformed { .. })),
                "{xml}: {said:?}"
            );
        }
    }
    let blank = format!("<?xml version='1.0'?>\n<!-- a -->\r\n{good}\n \t\n<!-- b -->\n");
    assert_eq!(judged(&blank), Ok(()));
}

#[test]
fn utf_16_with_its_mark_reads_like_utf_8() {
    let text = String::from_utf8(sample("nunit2-pass.xml")).expect("UTF-8");
    let little = text.encode_utf16().flat_map(u16::to_le_bytes);
    let bytes: Vec<u8> = [0xFF, 0xFE].into_iter().chain(little).collect();
    assert_eq!(verdict(&bytes).expect("readable").passed, 2);
}

proptest::proptest! {
    #[test]
    fn no_bytes_make_the_reader_panic(bytes in proptest::collection::vec(0u8..=255, 0..300)) {
        let _any = verdict(&bytes);
    }

    #[test]
    fn a_changed_sample_never_panics(at in 0usize..1155, byte in 0u8..=255) {
        let mut bytes = sample("nunit2-pass.xml");
        let at = at % bytes.len();
        bytes[at] = byte;
        let _any = verdict(&bytes);
    }
}
