//! `poolshift doctor` finds what is wrong, and nothing else.

use crate::faults::{Fault, all};
use crate::plant::Patient;
use poolshift_tests::programs::Programs;
use poolshift_tests::world::{Setup, World};
use serde_json::Value;
use std::fs;
use std::path::Path;

/// After it one agent stays out.
const LAST_BUT_ONE: &str = "clock";

#[tokio::test]
async fn doctor_finds_each_planted_fault_with_its_mend_and_nothing_on_a_healthy_stage() {
    let root = tempfile::tempdir().unwrap();
    let programs = Programs::build().await.unwrap();
    let setup = Setup {
        servers: 4,
        ..Setup::default()
    };
    let world = World::set(&programs, root.path(), setup).await.unwrap();
    certificate(root.path());
    let faults = all(&world);
    let mut patient = Patient::new(world, &programs.poolshift);
    healthy(&patient, "at first").await;
    let mut missed = vec![];
    for fault in &faults {
        patient.plant(&fault.plant).await;
        let (said, code) = patient.doctor().await;
        missed.extend(judge(fault, &said, code));
        patient.mend(&fault.plant).await;
        if fault.check == LAST_BUT_ONE {
            healthy(&patient, "when all but the last are mended").await;
        }
    }
    assert!(missed.is_empty(), "{}", missed.join("\n"));
    assert!(faults.len() >= 15);
}

async fn healthy(patient: &Patient, when: &str) {
    let (said, code) = patient.doctor().await;
    let none = |name: &str| said[name].as_array().unwrap().is_empty();
    let is_well = code == 0 && none("findings") && none("unchecked");
    assert!(is_well, "{when}: {said:#}");
}

/// What is not as the fault wants it.
fn judge(fault: &Fault, said: &Value, code: i32) -> Option<String> {
    let findings = said["findings"].as_array().unwrap();
    let text = |one: &Value, name: &str| one[name].as_str().unwrap().to_owned();
    let is_it = |one: &&Value| {
        text(one, "check") == fault.check
            && text(one, "place").contains(fault.place)
            && text(one, "mend").contains(fault.mend)
            && !text(one, "what").is_empty()
    };
    let is_found = findings.iter().any(|one| is_it(&one));
    let is_other = |one: &Value| {
        let check = text(one, "check");
        check != fault.check && !fault.also.contains(&check.as_str())
    };
    let is_more = findings.iter().any(is_other);
    let is_good = code == 1 && is_found && !is_more;
    (!is_good).then(|| format!("{} ({}), exit {code}: {said:#}", fault.check, fault.mend))
}

/// A key and its certificate in one file, as HAProxy wants them.
fn certificate(root: &Path) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../agent/tests/tls");
    let read = |name: &str| fs::read_to_string(folder.join(name)).unwrap();
    fs::write(
        root.join("stats.pem"),
        read("server.pem") + &read("server.key"),
    )
    .unwrap();
}
