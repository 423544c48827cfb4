//! A rollout is started, watched and steered, without an agent that would carry it out.

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::Stdio;

use crate::support::{DIGEST, House};

const TARGET: &str = "staging/checkout";

#[test]
fn status_says_what_is_waited_for() {
    let house = House::ready();
    let rollout = house.rollout(TARGET, &["--reason", "why not"]);
    let status = house.until(TARGET, "fetch, not begun");
    let place = |text: &str| {
        status
            .find(text)
            .unwrap_or_else(|| panic!("{text}: {status}"))
    };
    assert!(
        place("waits: web1: fetch, not begun") < place("rollout "),
        "{status}"
    );
    assert!(place(&rollout) < place("SERVER"), "{status}");
    let json = house.run(&["status", TARGET, "--json"]).json();
    assert_eq!(json[0]["rollouts"][0]["id"], rollout.as_str());
    assert_eq!(json[0]["servers"][0]["outstanding"]["kind"], "fetch");
}

#[test]
fn an_abort_ends_the_watch_with_its_own_code() {
    let house = House::ready();
    let start = [
        "start",
        TARGET,
        "--version",
        "2.0",
        "--sha256",
        DIGEST,
        "--watch",
    ];
    let mut watch = house
        .command(&start)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdout = BufReader::new(watch.stdout.take().unwrap());
    let mut shown = String::new();
    while !shown.contains("web1: fetch") {
        assert_ne!(stdout.read_line(&mut shown).unwrap(), 0, "{shown}");
    }
    let id = shown.split_whitespace().nth(1).unwrap().to_owned();
    let said = house.run(&["abort", id.get(..8).unwrap(), "--reason", "wrong day"]);
    assert_eq!(said.good(), format!("rollout {id}: stops and goes back\n"));
    stdout.read_to_string(&mut shown).unwrap();
    assert_eq!(watch.wait().unwrap().code(), Some(13), "{shown}");
    assert!(shown.contains("aborted"), "{shown}");
    let said = house.run(&["pause", &id, "--reason", "late"]);
    assert_eq!(said.code, 1);
    assert!(said.errors.contains("is over: aborted"), "{said:?}");
    let said = house.run(&["watch", &id, "--json"]);
    assert_eq!(said.code, 13);
    assert_eq!(said.out.lines().count(), 1);
}

#[test]
fn a_rollout_is_paused_and_resumed() {
    let house = House::ready();
    let rollout = house.rollout(TARGET, &[]);
    house.until(TARGET, "running");
    house.run(&["pause", &rollout, "--reason", "lunch"]).good();
    let status = house.until(TARGET, "paused: lunch");
    assert!(status.contains("waits for a person"), "{status}");
    house
        .run(&["resume", &rollout, "--reason", "coffee"])
        .good();
    house.until(TARGET, "running");
}

#[test]
fn a_server_is_taken_out_of_the_rollout_that_runs_and_of_no_other() {
    let house = House::ready();
    let exclude = ["exclude", TARGET, "web1", "--reason", "its disk is broken"];
    let said = house.run(&exclude);
    assert_eq!(said.code, 1);
    assert!(said.errors.contains("no rollout runs"), "{said:?}");
    let rollout = house.rollout(TARGET, &[]);
    house.until(TARGET, "running");
    let text = house.run(&exclude).good();
    assert!(text.contains("takes no further part"), "{text}");
    assert!(text.contains(&rollout[..8]), "{text}");
}

#[test]
fn the_same_key_is_the_same_rollout() {
    let house = House::ready();
    let first = house.rollout(TARGET, &["--key", "k1"]);
    assert_eq!(house.rollout(TARGET, &["--key", "k1"]), first);
    assert_ne!(house.rollout(TARGET, &[]), first);
    let other = [
        "start",
        TARGET,
        "--version",
        "3.0",
        "--sha256",
        DIGEST,
        "--key",
        "k1",
    ];
    let said = house.run(&other);
    assert_eq!(said.code, 1);
    assert!(said.errors.contains("key: k1"), "{said:?}");
}

#[test]
fn an_agent_gets_a_code_for_its_own_machine() {
    let house = House::ready();
    let code = house.run(&["agent", "enrol", "srv-201", "--json"]).json();
    assert_eq!(code["machine"], "srv-201");
    let text = house.run(&["agent", "enrol", "srv-202"]).good();
    assert!(
        text.contains("poolshift-agent enrol --machine srv-202"),
        "{text}"
    );
    let said = house.run(&["agent", "revoke", "srv-209", "--reason", "gone"]);
    assert_eq!(said.code, 1);
    assert!(
        said.errors.contains("srv-209 was never enrolled"),
        "{said:?}"
    );
}

#[test]
fn a_wish_that_is_not_taken_is_told_why() {
    let house = House::ready();
    let rollout = house.rollout(TARGET, &[]);
    house.until(TARGET, "running");
    let said = house.run(&["resume", &rollout, "--reason", "why", "--json"]);
    assert_eq!(said.code, 1, "{said:?}");
    let failure: serde_json::Value = serde_json::from_str(&said.errors).unwrap();
    assert_eq!(failure["what"], "not taken: it is not paused", "{failure}");
    assert!(failure["where"].is_string(), "{failure}");
}

#[test]
fn a_wish_that_changes_nothing_is_told_so() {
    let house = House::ready();
    let rollout = house.rollout(TARGET, &[]);
    house.until(TARGET, "running");
    let pause = ["pause", rollout.as_str(), "--reason", "why", "--json"];
    house.run(&pause).good();
    let said = house.run(&pause);
    assert_eq!(said.code, 4, "{said:?}");
    let failure: serde_json::Value = serde_json::from_str(&said.errors).unwrap();
    let what = failure["what"].as_str().unwrap();
    assert!(
        what.contains("pause: nothing had changed 10 s after"),
        "{what}"
    );
    assert!(failure["mend"].is_string(), "{failure}");
}
