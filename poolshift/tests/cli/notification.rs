//! A notification of Jenkins, from its door to the person it waits for.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use crate::support::{CHECKOUT, DIGEST, House, write};

const TOKEN: &str = "a-token-of-the-notification-plugin-of-32";

const JENKINS: &str = "[jenkins]\njob = \"https://jenkins.example/job/checkout/job/main/\"\n\
                       version_parameter = \"VERSION\"\nsha256_parameter = \"SHA256\"\n\
                       environment = \"staging\"\n\n[artifact]";

fn body(phase: &str, parameters: &str) -> String {
    format!(
        r#"{{"name":"main","url":"job/checkout/job/main/","build":{{
        "full_url":"https://jenkins.example/job/checkout/job/main/7/","number":7,
        "phase":"{phase}","status":"SUCCESS","parameters":{{{parameters}}}}}}}"#
    )
}

/// Sends it as the plugin does; gives the whole answer.
fn send(house: &House, body: &str) -> String {
    send_with(house, TOKEN, body)
}

fn send_with(house: &House, token: &str, body: &str) -> String {
    let mut stream = TcpStream::connect(house.public()).unwrap();
    let request = format!(
        "POST /webhooks/jenkins-notification/{token} HTTP/1.1\r\nhost: poolshift.example\r\n\
         content-type: application/json;charset=UTF-8\r\ncontent-length: {}\r\n\
         connection: close\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

/// A house that takes notifications with this token.
fn house() -> House {
    let mut house = House::start();
    house.stop();
    write(&house.folder, "tokens", TOKEN);
    let settings = std::fs::read_to_string(house.path("serve.toml")).unwrap();
    let tokens = format!(
        "notification_secrets = [\"file:{}\"]\n",
        house.path("tokens")
    );
    let settings = settings.replace("[gateway]\n", &format!("[gateway]\n{tokens}"));
    write(&house.folder, "serve.toml", &settings);
    house.again();
    house
}

#[test]
fn strangers_are_counted_each_but_fill_no_log() {
    let house = house();
    for _ in 0..40 {
        let answer = send_with(&house, "not-the-token-of-the-plugin-but-as-long", "{}");
        assert!(answer.starts_with("HTTP/1.1 401"), "{answer}");
    }
    let log = house.log();
    let lines = log.lines().filter(|line| line.contains("webhook refused"));
    // Ten at once, and one more for each ten seconds that this took.
    let count = lines.count();
    assert!((1..20).contains(&count), "{count} lines: {log}");
    // Who has proved themselves is still told each time.
    let refused = send(&house, &body("COMPLETED", ""));
    assert!(refused.starts_with("HTTP/1.1 4"), "{refused}");
    let told = house
        .log()
        .lines()
        .filter(|line| line.contains("webhook refused"))
        .count();
    assert_eq!(told, count + 1);
    let metrics = metrics(&house);
    let counted = "poolshift_webhook_outcomes_total{outcome=\"unauthorised\",sender=\"jenkins-notification\"} 40";
    assert!(metrics.contains(counted), "{metrics}");
}

fn metrics(house: &House) -> String {
    let mut stream = TcpStream::connect(house.public()).unwrap();
    let request = "GET /metrics HTTP/1.1\r\nhost: poolshift.example\r\nconnection: close\r\n\r\n";
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn a_notification_waits_for_anybody_with_a_role_and_its_token_stands_in_no_log() {
    let house = house();
    let entry = CHECKOUT.replace("[artifact]", JENKINS);
    write(&house.folder, "services/checkout.toml", &entry);
    house.run(&["apply", &house.path("services")]).good();
    let adopt = [
        "adopt",
        "staging/checkout",
        "--all",
        "1.0",
        "--sha256",
        DIGEST,
    ];
    house.run(&adopt).good();

    let parameters = format!(r#""VERSION":"2.0","SHA256":"{DIGEST}""#);
    let refused = send(&house, &body("COMPLETED", r#""VERSION":"2.0""#));
    assert!(refused.starts_with("HTTP/1.1 422"), "{refused}");
    let first = send(&house, &body("COMPLETED", &parameters));
    assert!(first.starts_with("HTTP/1.1 202"), "{first}");
    let again = send(&house, &body("FINALIZED", &parameters));
    let rollout = |answer: &str| answer.split("\"rollout\":\"").nth(1).unwrap()[..36].to_owned();
    assert_eq!(rollout(&first), rollout(&again));

    house.until(
        "staging/checkout",
        "0 of 1 approvals by anybody with a role",
    );
    let id = rollout(&first);
    // A person without the role that production asks for, but with one.
    house.run(&["approve", &id, "--as", "bob"]).good();
    house.until("staging/checkout", "running");

    let log = house.log();
    let line = log
        .lines()
        .find(|line| line.contains("webhook refused"))
        .unwrap();
    assert!(
        line.contains("no-sha256") && line.contains("SHA256"),
        "{line}"
    );
    assert!(!log.contains(TOKEN), "{log}");
}
