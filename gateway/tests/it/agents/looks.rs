//! Looks: a question to a machine's agent, from the API through its poll and back.

use std::time::{Duration, Instant};

use events::{LookAt, Looked};
use serde_json::{Value, json};

use crate::house::{House, now, problem};
use crate::machine::{Machine, poll, polled, post};

const PATH: &str = "/api/v1/machines/srv-101/look";

fn at() -> Value {
    json!(LookAt {
        folders: vec!["/srv/checkout".to_owned()],
        ..LookAt::default()
    })
}

#[tokio::test]
async fn a_look_comes_with_an_open_poll_and_its_answer_goes_to_who_asked() {
    let house = House::open().await;
    let token = Machine::new("srv-101", 1).quick_token(&house).await;
    let (_, etag) = polled(poll(&house, &token, None, 0).await).await;
    let began = Instant::now();
    let at = at();
    let agent = async {
        let (answer, _) = polled(poll(&house, &token, Some(&etag), 30).await).await;
        let look = answer.look.unwrap();
        assert_eq!(look.at.folders, ["/srv/checkout"]);
        let looked = Looked {
            id: look.id,
            clock: now(),
            agent_version: "0.2.0".to_owned(),
            folders: vec![],
            programs: vec![],
            urls: vec![],
        };
        let body = json!(looked);
        let said = post(&house, "/agents/v1/look", Some(&token), &body).await;
        assert_eq!(said.status(), 204);
        // Nobody asks any more: it is as before.
        let (answer, after) = polled(poll(&house, &token, None, 0).await).await;
        assert!(answer.look.is_none());
        assert_eq!(after, etag);
        // An answer that nobody waits for is nobody's.
        let late = post(&house, "/agents/v1/look", Some(&token), &body).await;
        assert_eq!(late.status(), 204);
    };
    let (asked, ()) = tokio::join!(house.post(PATH, &at), agent);
    let said: Value = asked.json().await.unwrap();
    assert_eq!(said["looked"]["agent_version"], "0.2.0");
    assert!(said["asked_at"].as_str().unwrap() <= said["ended_at"].as_str().unwrap());
    assert!(
        began.elapsed() < Duration::from_secs(8),
        "nobody waited in vain"
    );
}

#[tokio::test]
async fn an_agent_that_knows_of_no_looks_polls_on_in_peace_and_another_machine_hears_nothing() {
    let house = House::open().await;
    let token = Machine::new("srv-101", 1).quick_token(&house).await;
    let other = Machine::new("srv-102", 2).quick_token(&house).await;
    let (_, etag) = polled(poll(&house, &token, None, 0).await).await;
    let (_, theirs) = polled(poll(&house, &other, None, 0).await).await;
    let at = at();
    let polls = async {
        let (answer, etag) = polled(poll(&house, &token, Some(&etag), 30).await).await;
        assert!(answer.look.is_some());
        let again = poll(&house, &token, Some(&etag), 1).await;
        assert_eq!(again.status(), 304, "the same question is no news");
        assert_eq!(poll(&house, &other, Some(&theirs), 0).await.status(), 304);
    };
    tokio::select! {
        said = house.post(PATH, &at) => panic!("answered by nobody: {said:?}"),
        () = polls => {}
    }
}

#[tokio::test]
async fn a_machine_that_is_not_known_or_too_much_to_look_at_is_refused() {
    let house = House::open().await;
    let (status, said) = problem(house.post(PATH, &at()).await).await;
    assert_eq!(status, 404, "{said}");
    Machine::new("srv-101", 1).counts(&house, false);
    let much = json!({ "urls": vec!["https://artifacts.example/"; LookAt::MOST + 1] });
    let (status, said) = problem(house.post(PATH, &much).await).await;
    assert_eq!(status, 413, "{said}");
}

#[tokio::test]
async fn a_machine_is_shown_with_the_version_of_its_agent() {
    let house = House::open().await;
    let token = Machine::new("srv-101", 1).quick_token(&house).await;
    let request = house
        .client
        .get(format!("{}/agents/v1/commands", house.public))
        .bearer_auth(&token)
        .header("user-agent", "poolshift-agent/0.9.1");
    request.send().await.unwrap();
    let machines: Value = house.get("/api/v1/machines").await.json().await.unwrap();
    assert_eq!(machines[0]["agent_version"], "0.9.1");
}
