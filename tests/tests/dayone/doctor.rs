//! `poolshift doctor` finds what is wrong, and nothing else.

use crate::faults::{Fault, all, without_balancers};
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
        watch: "watch = { for = \"60s\" }".to_owned(),
        ..Setup::default()
    };
    let world = World::set(&programs, root.path(), setup).await.unwrap();
    certificate(root.path());
    let faults = all(&world);
    let mut patient = Patient::new(world, &programs.poolshift, "services/shop.toml");
    each_is_found(&mut patient, &faults).await;
    assert!(faults.len() >= 15);
}

#[tokio::test]
async fn where_no_load_balancer_is_in_front_it_looks_at_servers_agents_and_own_commands() {
    let root = tempfile::tempdir().unwrap();
    let programs = Programs::build().await.unwrap();
    let setup = Setup {
        servers: 4,
        ..Setup::default()
    };
    let mut world = World::set(&programs, root.path(), setup).await.unwrap();
    consumer(root.path());
    world.target = "stage/consumer".parse().unwrap();
    let faults = without_balancers(&world);
    let mut patient = Patient::new(world, &programs.poolshift, "consumers/consumer.toml");
    let digest = format!("sha256:{}", "2".repeat(64));
    let adopt = ["adopt", "stage/consumer", "--all", "1.0.0", "--sha256"];
    for arguments in [
        &["apply", patient.folder()][..],
        &[&adopt[..], &[digest.as_str()]].concat(),
    ] {
        let (out, code) = patient.run(arguments).await;
        assert_eq!(code, 0, "{out}");
    }
    each_is_found(&mut patient, &faults).await;
}

/// The same servers, as a service that nobody stands in front of.
fn consumer(root: &Path) {
    let shop = fs::read_to_string(root.join("services/shop.toml")).unwrap();
    let (head, rest) = shop.split_once("[jenkins]").unwrap();
    let (_, rest) = rest.split_once("[artifact]").unwrap();
    let (middle, rest) = rest.split_once("online = ").unwrap();
    let (_, servers) = rest.split_once("servers = ").unwrap();
    let own = "balancers = []\ndrain = [\"true\"]\nrestore = [\"true\"]\n";
    let text = format!("{head}[artifact]{middle}{own}servers = {servers}");
    let text = text.replace("name = \"shop\"", "name = \"consumer\"");
    let text = text.replace("/{server}", "/consumer-{server}");
    fs::create_dir(root.join("consumers")).unwrap();
    fs::write(root.join("consumers/consumer.toml"), text).unwrap();
}

async fn each_is_found(patient: &mut Patient, faults: &[Fault]) {
    healthy(patient, "at first").await;
    let mut missed = vec![];
    for fault in faults {
        patient.plant(&fault.plant).await;
        let (said, code) = patient.doctor().await;
        missed.extend(judge(fault, &said, code));
        patient.mend(&fault.plant).await;
        if fault.check == LAST_BUT_ONE {
            healthy(patient, "when all but the last are mended").await;
        }
    }
    assert!(missed.is_empty(), "{}", missed.join("\n"));
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
