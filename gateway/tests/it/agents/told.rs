//! What an agent is told of its servers, by its version.

use std::path::Path;

use events::CommandRecord;
use serde_json::Value;

use crate::house::House;
use crate::machine::Machine;

/// A command of the contract, as it is written for ever.
fn golden(name: &str) -> Value {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/events/tests/golden");
    let text = std::fs::read_to_string(folder.join(format!("{name}.json"))).unwrap();
    serde_json::from_str(&text).unwrap()
}

/// The record of its server that an agent of this version is told.
async fn told(name: &str, version: &str) -> Value {
    let house = House::open().await;
    let token = Machine::new("srv-101", 1).quick_token(&house).await;
    let ask = async |etag: &str| {
        let url = format!("{}/agents/v1/commands", house.public);
        let request = house.client.get(&url).bearer_auth(&token);
        let request = request.header("user-agent", format!("poolshift-agent/{version}"));
        let request = request.header("if-none-match", etag);
        let answer = request.header("prefer", "wait=20").send().await.unwrap();
        assert_eq!(answer.status(), 200);
        let etag = answer.headers()["etag"].to_str().unwrap().to_owned();
        (answer.json::<Value>().await.unwrap(), etag)
    };
    let (nothing, etag) = ask("\"other\"").await;
    assert_eq!(nothing["assignments"], serde_json::json!([]));
    let record: CommandRecord = serde_json::from_value(golden(name)).unwrap();
    house.command(&[record]).await;
    ask(&etag).await.0["assignments"][0]["record"].take()
}

#[tokio::test]
async fn an_agent_is_told_of_its_own_work_and_of_no_other_workers() {
    for own in ["command.fetch", "command.install", "command.test"] {
        assert_eq!(told(own, "0.2.0").await, golden(own), "{own}");
        assert_eq!(told(own, "0.1.0").await, golden(own), "{own}");
    }
    for other in [
        "command.drain",
        "command.check",
        "command.restore",
        "command.hold",
        "command.watch",
    ] {
        let (command, record) = (golden(other), told(other, "0.2.0").await);
        assert_eq!(record["record"], "idle", "{other}");
        for same in ["epoch", "seq", "target", "server", "machine", "balancers"] {
            assert_eq!(record[same], command[same], "{other}: {same}");
        }
        assert_eq!(told(other, "0.1.0").await, record, "{other}");
    }
}

#[tokio::test]
async fn an_agent_that_would_leave_out_a_part_is_told_in_a_word_that_it_does_not_know() {
    for (name, word) in [
        ("command.fetch.form-2", "fetch_since_0.2"),
        ("command.fetch.form-3", "fetch_since_0.2"),
        ("command.install.form-3", "install_since_0.2"),
        ("command.test.form-2", "test_since_0.2"),
        ("command.drain.form-2", "drain_since_0.2"),
    ] {
        let mut wanted = golden(name);
        for version in ["0.2.0", "0.10.1", "1.0.0", "something else"] {
            assert_eq!(told(name, version).await, wanted, "{name} to {version}");
        }
        wanted["work"] = serde_json::json!({ "kind": word });
        assert_eq!(told(name, "0.1.0").await, wanted, "{name}");
    }
}
