//! Every word of it is read, and nothing is lost.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use ed25519_dalek::{Signature, VerifyingKey};
use events::{Enrolled, Enrolment, PollAnswer, ReportBatch, ReportOutcome};
use poolshift_tests::former::{Exchange, PARTS, wire};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::collections::BTreeSet;

fn all(path: &str) -> Vec<Exchange> {
    let all = PARTS.iter().flat_map(|part| wire(part).unwrap());
    all.filter(|one| one.path == path).collect()
}

/// Reads it as our type, and finds everything in there that was said.
fn read<T: DeserializeOwned + Serialize>(said: &Value) -> T {
    let read: T = serde_json::from_value(said.clone()).unwrap();
    assert_eq!(&serde_json::to_value(&read).unwrap(), said);
    read
}

fn signed_by(key: &str, text: &str, signature: &str) -> bool {
    let key: [u8; 32] = BASE64.decode(key).unwrap().try_into().unwrap();
    let signature = Signature::from_slice(&BASE64.decode(signature).unwrap()).unwrap();
    let key = VerifyingKey::from_bytes(&key).unwrap();
    key.verify_strict(text.as_bytes(), &signature).is_ok()
}

#[test]
fn what_its_agents_reported_is_read_whole_and_is_theirs_to_say() {
    let mut kinds = BTreeSet::new();
    for exchange in all("/agents/v1/reports") {
        for report in read::<ReportBatch>(&exchange.body).reports {
            let answer = report.answer().unwrap();
            let again: Value = serde_json::from_slice(&answer.to_bytes()).unwrap();
            assert_eq!(again, report.body);
            kinds.insert(report.kind);
        }
        let outcomes: Vec<ReportOutcome> = read(&exchange.answer);
        assert!(outcomes.iter().all(|outcome| outcome.taken));
    }
    let every = [
        "poolshift.agent-seen",
        "poolshift.command-refused",
        "poolshift.command-started",
        "poolshift.fetch-failed",
        "poolshift.fetched",
        "poolshift.install-failed",
        "poolshift.installed",
        "poolshift.tests-failed",
        "poolshift.tests-passed",
    ];
    assert_eq!(kinds.iter().map(String::as_str).collect::<Vec<_>>(), every);
}

#[test]
fn what_its_gateway_commanded_is_read_whole() {
    let mut kinds = BTreeSet::new();
    for exchange in all("/agents/v1/commands") {
        let is_whole = exchange.status == 200 && !exchange.answer.to_string().contains("migrate");
        if is_whole {
            for assignment in read::<PollAnswer>(&exchange.answer).assignments {
                let command = assignment.record.command();
                kinds.insert(command.map_or("idle", |command| command.work.kind()));
            }
        }
    }
    let every = [
        "check", "drain", "fetch", "hold", "idle", "install", "restore", "test",
    ];
    assert_eq!(kinds.into_iter().collect::<Vec<_>>(), every);
}

#[test]
fn its_agents_sign_as_ours_do() {
    let enrol = all("/agents/v1/enrol").remove(0);
    let asked: Enrolment = read(&enrol.body);
    let text = format!("{}\n{}\n{}", asked.machine, asked.code, asked.public_key);
    assert!(signed_by(&asked.public_key, &text, &asked.signature));
    read::<Enrolled>(&enrol.answer);
    let renew = all("/agents/v1/token").remove(0);
    let word = |name: &str| renew.body[name].as_str().unwrap();
    let text = format!("{}\n{}", word("machine"), word("issued_at"));
    assert!(signed_by(&asked.public_key, &text, word("signature")));
    read::<Enrolled>(&renew.answer);
}
