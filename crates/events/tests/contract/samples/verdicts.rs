//! Answers that judge: checks and tests.

use super::base::*;
use poolshift_events::*;

pub(crate) fn all() -> Vec<Answer> {
    vec![
        Healthy {
            command: command_id("check-1"),
            probes: vec![probe(true)],
            answered_by: answered_by(),
            balancers: vec![balancer()],
        }
        .into(),
        Unhealthy {
            command: command_id("check-2"),
            failure: failure(FailedBecause::WrongServer),
            probes: vec![probe(true), probe(false)],
        }
        .into(),
        TestsPassed {
            command: command_id("test"),
            suites: vec![suite(Some(digest("result.xml")), vec![])],
            answered_by: answered_by(),
            output: output(),
        }
        .into(),
        TestsFailed {
            command: command_id("test"),
            failure: failure(FailedBecause::CasesFailed),
            suites: vec![suite(
                None,
                vec![FailedCase {
                    name: "Shop.Basket.adds_up".to_owned(),
                    message: "expected 3, got 4".to_owned(),
                }],
            )],
            answered_by: AnsweredBy::default(),
            output: Output::default(),
        }
        .into(),
    ]
}

fn probe(good: bool) -> ProbeResult {
    ProbeResult {
        probe: "GET /health".to_owned(),
        good,
        found: "200, `2.4.0`".to_owned(),
        took_ms: 4,
    }
}

pub(crate) fn answered_by() -> AnsweredBy {
    AnsweredBy {
        server: "web1".to_owned(),
        version: Some("2.4.0".to_owned()),
    }
}

pub(crate) fn suite(results_sha256: Option<Digest>, cases: Vec<FailedCase>) -> SuiteResult {
    let failed = u32::try_from(cases.len()).unwrap();
    SuiteResult {
        name: "smoke".to_owned(),
        tests_sha256: None,
        results_sha256,
        format: "nunit3".to_owned(),
        total: 12,
        passed: 10 - failed,
        failed,
        skipped: 1,
        not_run: 1,
        cases,
    }
}
