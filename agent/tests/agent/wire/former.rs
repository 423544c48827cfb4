//! A gateway of the version before, as it was recorded: what it commanded is carried out as its own
//! agents did.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use events::{Answer, Assignment};
use serde_json::Value;

use crate::support::World;

/// The folder in which it was recorded, and the address of the server there.
const RECORDED: &str = "/srv/poolshift-fixture";
const SERVER: &str = "http://127.0.0.1:21111";
const PLACE: &str = "http://127.0.0.1:21103";
const TESTERS: &str = "http://127.0.0.1:21105";

/// Stands for the service: what is current runs, and its suite has seven good tests.
const SHOP: &str = r#"#!/bin/sh
case $1 in
restart) cp "$3/current/release.toml" "$3/running" ;;
suite) for n in 1 2 3 4 5 6 7; do cases="$cases<testcase name='$n'/>"; done
  echo "<testsuite name='shop' tests='7'>$cases</testsuite>" > "$3" ;;
esac
"#;

fn recorded(name: &str) -> std::path::PathBuf {
    let former = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/former/0.1");
    former.join(name)
}

/// The JSON bodies, from the enrolment to the end of the first rollout, which begin like this.
fn bodies(begin: &str) -> Vec<String> {
    let parts = ["enrolment", "forward"].iter();
    let text: String = parts
        .map(|part| std::fs::read_to_string(recorded(&format!("wire/{part}.http"))).unwrap())
        .collect();
    let lines = text.lines().filter(|line| line.starts_with(begin));
    lines.map(str::to_owned).collect()
}

/// What was answered, without what is of one run only.
fn outline(answer: &Answer) -> String {
    let id = answer.command().map(ToString::to_string);
    let what = match answer {
        Answer::Fetched(fetched) => format!("{} {} bytes", fetched.sha256, fetched.bytes),
        Answer::Installed(one) => format!("{} {}", one.version, one.sha256_runs),
        Answer::TestsPassed(one) => {
            let suites = one.suites.iter();
            let counts = suites.map(|suite| format!("{} {}", suite.name, suite.passed));
            format!("{:?} {:?}", counts.collect::<Vec<_>>(), one.answered_by)
        }
        Answer::AgentSeen(seen) => format!("{:?}", seen.servers),
        other => format!("{:?}", matches!(other, Answer::CommandStarted(_))),
    };
    format!("{} {id:?} {what}", answer.kind())
}

/// What the agent of that version reported, sorted: what runs is told whenever there is time.
fn reported() -> Vec<String> {
    let mut reported = Vec::new();
    for body in bodies("{\"reports\"") {
        let batch: events::ReportBatch = serde_json::from_str(&body).unwrap();
        let answers = batch.reports.iter().map(|report| report.answer().unwrap());
        reported.extend(answers.map(|answer| outline(&answer)));
    }
    reported.sort();
    reported
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_gateway_of_the_version_before_commanded_is_carried_out_as_it_was() {
    let mut world = World::enrolled().await;
    let shop = world.path("bin/shop");
    std::fs::create_dir_all(shop.parent().unwrap()).unwrap();
    std::fs::create_dir_all(world.path("web1")).unwrap();
    std::fs::write(&shop, SHOP).unwrap();
    std::fs::set_permissions(&shop, std::fs::Permissions::from_mode(0o755)).unwrap();
    let artifact = std::fs::read(recorded("place/shop-1.1.0.tar.gz")).unwrap();
    world.serve("shop-1.1.0.tar.gz", &artifact);
    world.gateway.change(|known| {
        known.under_test = ("web1".to_owned(), "{\"version\":\"1.1.0\"}".to_owned());
    });
    let root = world.path("");
    let root = root.to_str().unwrap().trim_end_matches('/');
    let runs = world.gateway.url(&format!("/say{root}/web1/running"));
    let here = |text: &str| {
        text.replace(&format!("{SERVER}/version"), &runs)
            .replace(PLACE, &world.gateway.url("/artifacts"))
            .replace(TESTERS, &world.gateway.url("/under-test"))
            .replace("x-poolshift-answered-by", "x-answered-by")
            .replace("\"machine\":\"m1\"", "\"machine\":\"srv-101\"")
            .replace(RECORDED, root)
    };
    let polls: Vec<String> = bodies("{\"server_time\"")
        .iter()
        .map(|body| here(body))
        .collect();
    world.start_agent();
    for poll in polls {
        let poll: Value = serde_json::from_str(&poll).unwrap();
        let assignment: Assignment =
            serde_json::from_value(poll["assignments"][0].clone()).unwrap();
        let command = assignment.record.command().cloned();
        world
            .gateway
            .change(|known| known.records.insert(assignment.record.key(), assignment));
        match command {
            Some(command) if command.worker() == events::Worker::Agent => {
                world.answer_to(&command.id).await;
            }
            Some(_) => {}
            None => {
                world
                    .see("first report", || !world.answers().is_empty())
                    .await;
            }
        }
    }
    let last = reported().len();
    world
        .see("all reports", || world.answers().len() >= last)
        .await;
    let mut said: Vec<String> = world.answers().iter().map(outline).collect();
    said.sort();
    assert_eq!(said, reported());
}
