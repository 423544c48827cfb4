//! What the command line may rely on.

mod history;
mod reports;

use std::time::{Duration, Instant};

use events::{ActorKind, Ask, Report, Subject, Wish, sha256};
use serde_json::{Value, json};
use view::{GateView, RolloutStatus, RolloutView};

use crate::house::{House, accepted, now, problem, rollout_of, target};

fn start() -> Value {
    json!({
        "target": "production/checkout",
        "version": "1.1",
        "sha256": sha256(b"1.1").to_string(),
        "person": "ann",
    })
}

/// A rollout that the orchestrator has taken.
async fn started(house: &House) -> RolloutView {
    let id = rollout_of(&accepted(house.start("key-1", &start()).await).await);
    let mut document = (*house.view.rollout(id).unwrap().document).clone();
    document.status = RolloutStatus::WaitingApproval;
    document.gates = vec![GateView {
        id: "approval".to_owned(),
        kind: "approval".to_owned(),
        waits_for: Some("0 of 1 approvals".to_owned()),
        overridden: false,
        count: 1,
        from: vec!["release-managers".to_owned()],
        votes: vec![],
        until: now().plus_ms(1000),
    }];
    house.view.put_rollout(document.clone());
    document
}

#[tokio::test]
async fn a_start_is_accepted_once_for_each_key() {
    let house = House::open().await;
    let first = rollout_of(&accepted(house.start("key-1", &start()).await).await);
    let again = rollout_of(&accepted(house.start("key-1", &start()).await).await);
    let other = rollout_of(&accepted(house.start("key-2", &start()).await).await);
    assert_eq!(first, again);
    assert_ne!(first, other);
    let said = house.said().await;
    assert_eq!(said.len(), 2);
    assert_eq!(
        (&said[0].0.actor.kind, said[0].0.actor.id.as_str()),
        (&ActorKind::Person, "p_ann1")
    );
    let keyless = house.post("/api/v1/rollouts", &start()).await;
    assert_eq!(
        problem(keyless).await.1["type"],
        "urn:poolshift:problem:no-key"
    );
}

#[tokio::test]
async fn an_accepted_rollout_is_shown_before_the_orchestrator_has_taken_it_and_a_poll_wakes_then() {
    let house = House::open().await;
    let id = rollout_of(&accepted(house.start("key-1", &start()).await).await);
    let path = format!("/api/v1/rollouts/{id}");
    let shown = house.get(&path).await;
    let etag = shown.headers()["etag"].to_str().unwrap().to_owned();
    let body: Value = shown.json().await.unwrap();
    assert_eq!(body["status"], "accepted");

    let url = format!("{}{path}", house.local);
    let poll = house.client.get(&url).header("if-none-match", &etag);
    let polling = tokio::spawn(poll.header("prefer", "wait=20").send());
    house.until_polls_open(1).await;
    assert!(!polling.is_finished());
    let mut document = (*house.view.rollout(id).unwrap().document).clone();
    document.status = RolloutStatus::Running;
    house.view.put_rollout(document);
    let began = Instant::now();
    let woken = polling.await.unwrap().unwrap();
    assert!(began.elapsed() < Duration::from_secs(2));
    let body: Value = woken.json().await.unwrap();
    assert_eq!(body["status"], "running");
}

#[tokio::test]
async fn a_poll_for_what_does_not_change_ends_as_not_modified() {
    let house = House::open().await;
    for path in ["/api/v1/targets/production/checkout".to_owned(), {
        let id = rollout_of(&accepted(house.start("key-1", &start()).await).await);
        format!("/api/v1/rollouts/{id}")
    }] {
        let etag = house.get(&path).await.headers()["etag"].clone();
        let url = format!("{}{path}", house.local);
        let poll = house.client.get(url).header("if-none-match", etag);
        let began = Instant::now();
        let answer = poll.header("prefer", "wait=1").send().await.unwrap();
        assert_eq!(answer.status(), 304);
        assert!(began.elapsed() >= Duration::from_secs(1));
    }
}

#[tokio::test]
async fn an_unknown_rollout_is_not_found() {
    let house = House::open().await;
    let (status, _) = problem(house.get("/api/v1/rollouts/nonsense").await).await;
    assert_eq!(status, 404);
    let never = "/api/v1/rollouts/00000000-0000-4000-8000-000000000000";
    assert_eq!(problem(house.get(never).await).await.0, 404);
}

#[tokio::test]
async fn rollouts_and_targets_are_listed() {
    let house = House::open().await;
    started(&house).await;
    let listed = async |path: &str| -> Vec<Value> { house.get(path).await.json().await.unwrap() };
    assert_eq!(listed("/api/v1/rollouts").await.len(), 1);
    assert_eq!(
        listed("/api/v1/rollouts?target=production/checkout")
            .await
            .len(),
        1
    );
    assert_eq!(listed("/api/v1/targets").await[0]["owner"], "payments");
    let other = house.get("/api/v1/rollouts?target=staging/checkout").await;
    assert_eq!(
        problem(other).await.1["known"],
        json!(["production/checkout"])
    );
}

#[tokio::test]
async fn a_wish_names_its_rollout_and_its_reason() {
    let house = House::open().await;
    let rollout = started(&house).await;
    for wish in ["pause", "resume", "abort", "retry"] {
        let path = format!("/api/v1/rollouts/{}/{wish}", rollout.id);
        let body = json!({"reason": "looks odd", "person": "bob"});
        accepted(house.post(&path, &body).await).await;
        let (envelope, report) = house.said().await.pop().unwrap();
        let Report::Ask(Ask::Steer(steer)) = report else {
            panic!("{report:?}")
        };
        assert_eq!((steer.rollout, steer.wish), (rollout.id, Wish::from(wish)));
        assert_eq!(envelope.actor.id, "p_bob1");
        let silent = house.post(&path, &json!({"reason": ""})).await;
        assert_eq!(problem(silent).await.1["field"], "reason");
    }
    let path = format!("/api/v1/rollouts/{}/explode", rollout.id);
    assert_eq!(problem(house.post(&path, &json!({})).await).await.0, 404);
}

#[tokio::test]
async fn a_vote_carries_the_persons_roles_and_the_file_that_gives_them() {
    let house = House::open().await;
    let rollout = started(&house).await;
    let path = format!("/api/v1/rollouts/{}/votes", rollout.id);
    let vote = |person: &str, gate: &str| json!({"person": person, "gate": gate, "digest": sha256(b"plan").to_string()});
    accepted(house.post(&path, &vote("ann", "approval")).await).await;
    let (envelope, report) = house.said().await.pop().unwrap();
    let Report::Ask(Ask::CastVote(cast)) = report else {
        panic!("{report:?}")
    };
    assert_eq!(cast.person.as_str(), "p_ann1");
    assert_eq!(cast.roles, ["release-managers"]);
    assert_eq!(cast.policy_sha256, sha256(crate::house::PEOPLE.as_bytes()));
    assert_eq!(envelope.actor.id, "p_ann1");

    let stranger = problem(house.post(&path, &vote("eve", "approval")).await).await;
    assert_eq!((stranger.0, &stranger.1["field"]), (403, &json!("person")));
    let nowhere = problem(house.post(&path, &vote("ann", "lunch")).await).await;
    assert_eq!(nowhere.1["known"], json!(["approval"]));
}

#[tokio::test]
async fn a_server_is_released_and_adopted_by_name() {
    let house = House::open().await;
    let path = "/api/v1/targets/production/checkout/servers";
    let reason = json!({"reason": "looked at it"});
    accepted(house.post(&format!("{path}/web1/release"), &reason).await).await;
    let runs = json!({"version": "1.0", "sha256": "ab".repeat(32)});
    accepted(house.post(&format!("{path}/web2/adopt"), &runs).await).await;
    let said = house.said().await;
    assert!(
        matches!(&said[0].1, Report::Ask(Ask::ReleaseServer(ask)) if ask.server.as_str() == "web1")
    );
    assert!(matches!(&said[1].1, Report::Ask(Ask::Adopt(ask)) if ask.server.as_str() == "web2"));
    let fine = house.post(&format!("{path}/web2/release"), &reason).await;
    assert_eq!(problem(fine).await.0, 409, "a server that is not set aside");
    let unknown = house.post(&format!("{path}/web9/release"), &reason).await;
    assert_eq!(problem(unknown).await.1["known"], json!(["web1", "web2"]));
}

#[tokio::test]
async fn a_server_is_taken_out_of_a_rollout_by_name() {
    let house = House::open().await;
    let path = "/api/v1/targets/production/checkout/servers";
    let rollout = events::RolloutId::of(&target(), "cli", "key");
    let body = json!({"reason": "its disk is broken", "rollout": rollout});
    accepted(house.post(&format!("{path}/web2/exclude"), &body).await).await;
    let said = house.said().await;
    assert!(matches!(&said[0].1, Report::Ask(Ask::ExcludeServer(ask))
            if ask.server.as_str() == "web2" && ask.rollout == rollout));
    let unknown = house.post(&format!("{path}/web9/exclude"), &body).await;
    assert_eq!(problem(unknown).await.1["known"], json!(["web1", "web2"]));
}

#[tokio::test]
async fn an_entry_enters_the_log_as_it_is_and_once_for_each_key() {
    let house = House::open().await;
    let entry = "name = \"new\"\n";
    let body = json!({"target": "staging/new", "entry": entry, "person": "ann"});
    let url = format!("{}/api/v1/catalogue", house.local);
    for _ in 0..2 {
        let request = house.client.post(&url).header("idempotency-key", "k");
        accepted(request.json(&body).send().await.unwrap()).await;
    }
    let subject = Subject::Target("staging/new".parse().unwrap());
    let said = house.reports(&subject).await;
    assert_eq!(said[0].0.id, said[1].0.id);
    assert!(matches!(&said[0].1, Report::Ask(Ask::DefineService(ask)) if ask.entry == entry));
}
