//! What an agent may say, and what nobody may read in a log.

use poolshift_events::{
    Answer, Enrolled, Enrolment, EnrolmentCode, ReportBatch, Timestamp, Unreadable, WireReport,
    Worker,
};

use crate::samples;

fn wire_report(name: &str, kind: &str) -> WireReport {
    let batch = samples::one("agents.report-batch").bytes;
    let mut batch: ReportBatch = serde_json::from_slice(&batch).unwrap();
    let mut report = batch.reports.remove(0);
    report.body = samples::one(name).json();
    kind.clone_into(&mut report.kind);
    report
}

#[test]
fn an_agent_can_answer_but_neither_ask_nor_vote() {
    let answer = wire_report("poolshift.installed.v1", "poolshift.installed");
    assert_eq!(answer.answer().unwrap().kind(), "poolshift.installed");
    for (name, kind) in [
        ("poolshift.ask.vote.v1", "poolshift.ask.vote"),
        ("poolshift.ask.rollout.v1", "poolshift.ask.rollout"),
    ] {
        let ask = wire_report(name, kind);
        assert!(ask.report().is_ok(), "{kind} is a report");
        assert!(
            matches!(ask.answer(), Err(Unreadable::Newer { .. })),
            "{kind}"
        );
    }
}

#[test]
fn every_answer_comes_from_the_worker_that_can_know_it() {
    let workers = [Worker::Agent, Worker::HealthChecker, Worker::LbController];
    let who: Vec<String> = Answer::KINDS
        .iter()
        .map(|&(kind, version)| {
            let bytes = samples::one(&format!("{kind}.v{version}")).bytes;
            let answer = Answer::from_bytes(kind, version, &bytes).unwrap();
            let may = workers
                .into_iter()
                .filter(|worker| answer.may_come_from(*worker));
            format!("{kind}: {:?}", may.collect::<Vec<_>>())
        })
        .collect();
    insta::assert_snapshot!(who.join("\n"));
}

#[test]
fn secrets_do_not_show_when_a_value_is_printed() {
    let secret = || "a-secret".to_owned();
    let machine = || "srv-101".parse().unwrap();
    let code = EnrolmentCode {
        machine: machine(),
        code: secret(),
        expires_at: Timestamp::FAR,
    };
    let enrolment = Enrolment {
        machine: machine(),
        code: secret(),
        public_key: "a-key".to_owned(),
        signature: secret(),
    };
    let enrolled = Enrolled {
        token: secret(),
        expires_at: Timestamp::FAR,
    };
    let printed = format!("{code:?} {enrolment:?} {enrolled:?}");
    assert!(!printed.contains("secret"), "{printed}");
    assert!(
        printed.contains("srv-101") && printed.contains("a-key"),
        "{printed}"
    );
}
