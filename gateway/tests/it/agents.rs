//! Enrolment, tokens and polls.

mod looks;
mod told;

use std::time::{Duration, Instant};

use bus::Options;
use events::{ActorKind, Ask, Report, Subject};
use serde_json::json;

use crate::clock::MovedClock;
use crate::house::{House, accepted, idle, now, problem};
use crate::machine::{Machine, poll, polled};

/// How long a token counts.
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

#[tokio::test]
async fn a_code_and_a_key_are_traded_for_a_token_once_the_key_counts() {
    let house = House::open().await;
    let machine = Machine::new("srv-101", 1);
    let code = machine.code(&house).await;
    assert_eq!(code.code.len(), 32);
    let left_ms = code.expires_at.ms_since(now());
    assert!((880_000..=900_000).contains(&left_ms), "{left_ms}");
    let (answer, ()) = tokio::join!(machine.enrol(&house, &code.code), machine.taken(&house));
    let enrolled: events::Enrolled = answer.json().await.unwrap();
    let left_s = enrolled.expires_at.ms_since(now()) / 1000;
    assert!((86_380..=86_400).contains(&left_s), "{left_s}");
    assert_eq!(poll(&house, &enrolled.token, None, 0).await.status(), 200);
    let said = house.reports(&Subject::Machine(machine.name.clone())).await;
    assert_eq!(said[0].0.actor.kind, ActorKind::Agent);
    assert_eq!(said.len(), 1);
}

#[tokio::test]
async fn a_code_is_good_once_and_for_its_machine_alone() {
    let house = House::open().await;
    let machine = Machine::new("srv-101", 1);
    let code = machine.code(&house).await.code;
    let thief = Machine::new("srv-102", 2);
    assert_eq!(problem(thief.enrol(&house, &code).await).await.0, 401);
    assert_eq!(problem(machine.enrol(&house, "guess").await).await.0, 401);
    let (first, ()) = tokio::join!(machine.enrol(&house, &code), machine.taken(&house));
    assert_eq!(first.status(), 200);
    assert_eq!(problem(machine.enrol(&house, &code).await).await.0, 401);
}

#[tokio::test]
async fn a_key_that_its_holder_did_not_sign_with_is_refused_and_the_code_stays_good() {
    let house = House::open().await;
    let machine = Machine::new("srv-101", 1);
    let code = machine.code(&house).await.code;
    let body = json!({
        "machine": "srv-101",
        "code": code,
        "public_key": machine.public_key(),
        "signature": machine.sign("something else"),
    });
    let url = format!("{}/agents/v1/enrol", house.public);
    let forged = house.client.post(url).json(&body).send().await.unwrap();
    assert_eq!(problem(forged).await.0, 401);
    let (answer, ()) = tokio::join!(machine.enrol(&house, &code), machine.taken(&house));
    assert_eq!(answer.status(), 200);
}

#[tokio::test]
async fn a_code_whose_enrolment_could_not_be_stored_is_still_good() {
    let full = Options { max_bytes: Some(1) };
    let house = House::with(&full, |_| {}).await;
    let machine = Machine::new("srv-101", 1);
    let code = machine.code(&house).await.code;
    assert_eq!(problem(machine.enrol(&house, &code).await).await.0, 503);
    assert_eq!(problem(machine.enrol(&house, &code).await).await.0, 503);
}

#[tokio::test]
async fn whoever_guesses_codes_must_wait() {
    let house = House::open().await;
    let machine = Machine::new("srv-101", 1);
    let mut last = 0;
    for _ in 0..12 {
        last = machine.enrol(&house, "guess").await.status().as_u16();
    }
    assert_eq!(last, 429);
    let code = machine.code(&house).await.code;
    let (good, ()) = tokio::join!(machine.enrol(&house, &code), machine.taken(&house));
    assert_eq!(good.status(), 200);
}

#[tokio::test]
async fn the_holder_of_a_key_that_counts_gets_a_token_by_its_signature() {
    let house = House::open().await;
    let machine = Machine::new("srv-101", 1);
    assert_eq!(problem(machine.token(&house, now()).await).await.0, 401);
    let token = machine.quick_token(&house).await;
    assert_eq!(poll(&house, &token, None, 0).await.status(), 200);
    let old = events::Timestamp::from_ms(now().as_ms() - 301_000);
    assert_eq!(problem(machine.token(&house, old).await).await.0, 401);
    let other = Machine::new("srv-101", 2);
    assert_eq!(problem(other.token(&house, now()).await).await.0, 401);
}

#[tokio::test]
async fn a_token_that_is_over_counts_no_more() {
    let clock = MovedClock::default();
    let house = House::with(&Options::default(), |settings| {
        settings.clock = clock.clock();
    })
    .await;
    let token = Machine::new("srv-101", 1).quick_token(&house).await;
    clock.go_on(DAY - Duration::from_secs(60));
    assert_eq!(poll(&house, &token, None, 0).await.status(), 200);
    clock.go_on(Duration::from_secs(60));
    assert_eq!(problem(poll(&house, &token, None, 0).await).await.0, 401);
    assert_eq!(
        problem(poll(&house, "nonsense", None, 0).await).await.0,
        401
    );
}

#[tokio::test]
async fn a_token_is_renewed_in_the_poll_at_half_its_life() {
    let clock = MovedClock::default();
    let house = House::with(&Options::default(), |settings| {
        settings.clock = clock.clock();
    })
    .await;
    let token = Machine::new("srv-101", 1).quick_token(&house).await;
    let (fresh, etag) = polled(poll(&house, &token, None, 0).await).await;
    assert_eq!(fresh.renewed, None);
    clock.go_on(DAY / 2);
    let (old, _) = polled(poll(&house, &token, Some(&etag), 0).await).await;
    let renewed = old.renewed.unwrap().token;
    assert_ne!(renewed, token);
    assert_eq!(poll(&house, &renewed, None, 0).await.status(), 200);
}

#[tokio::test]
async fn a_revoked_machine_is_shut_out_at_once_also_in_an_open_poll() {
    let house = House::open().await;
    let machine = Machine::new("srv-101", 1);
    let token = machine.enrolled(&house).await.token;
    let (_, etag) = polled(poll(&house, &token, None, 0).await).await;
    let body = json!({"reason": "sold", "person": "ann"});
    accepted(house.post("/api/v1/machines/srv-101/revoke", &body).await).await;
    let said = house.reports(&Subject::Machine(machine.name.clone())).await;
    assert!(matches!(&said[1].1, Report::Ask(Ask::RevokeAgent(ask)) if ask.reason == "sold"));
    let began = Instant::now();
    let (open, ()) = tokio::join!(poll(&house, &token, Some(&etag), 30), async {
        house.until_polls_open(1).await;
        machine.counts(&house, true);
    });
    assert_eq!(problem(open).await.0, 403);
    assert!(began.elapsed() < Duration::from_secs(5));
    assert_eq!(problem(poll(&house, &token, None, 0).await).await.0, 403);
    assert_eq!(problem(machine.token(&house, now()).await).await.0, 403);
}

#[tokio::test]
async fn a_machine_that_stands_still_is_shut_out_and_is_not_called_revoked() {
    let house = House::open().await;
    let machine = Machine::new("srv-101", 1);
    let token = machine.enrolled(&house).await.token;
    machine.stands_still(&house, "event at offset 7: its digest is another one");
    for answer in [
        poll(&house, &token, None, 0).await,
        machine.token(&house, now()).await,
    ] {
        let (status, said) = problem(answer).await;
        assert_eq!(
            (status, &said["title"]),
            (403, &json!("this machine stands still"))
        );
        let detail = said["detail"].as_str().unwrap();
        assert!(detail.contains("its digest is another one"), "{detail}");
    }
    let shown: serde_json::Value = house.get("/api/v1/machines").await.json().await.unwrap();
    assert_eq!(shown[0]["revoked"], false);
    assert!(shown[0]["stands_still"].is_string(), "{shown}");
}

#[tokio::test]
async fn a_token_dies_when_its_machine_is_enrolled_with_another_key() {
    let house = House::open().await;
    let token = Machine::new("srv-101", 1).quick_token(&house).await;
    Machine::new("srv-101", 2).counts(&house, false);
    assert_eq!(problem(poll(&house, &token, None, 0).await).await.0, 401);
}

#[tokio::test]
async fn an_agent_sees_its_own_machines_records_only_and_is_woken_by_them_alone() {
    let house = House::open().await;
    house
        .command(&[idle("web1", "srv-101", 1), idle("web2", "srv-102", 1)])
        .await;
    let token = Machine::new("srv-101", 1).quick_token(&house).await;
    let (mut answer, mut etag) = polled(poll(&house, &token, None, 5).await).await;
    while answer.assignments.is_empty() {
        (answer, etag) = polled(poll(&house, &token, Some(&etag), 5).await).await;
    }
    let names = |answer: &events::PollAnswer| -> Vec<String> {
        let servers = answer.assignments.iter();
        servers.map(|one| one.record.server().to_string()).collect()
    };
    assert_eq!(names(&answer), ["web1"]);

    let (open, ()) = tokio::join!(poll(&house, &token, Some(&etag), 1), async {
        house.command(&[idle("web2", "srv-102", 2)]).await;
    });
    assert_eq!(open.status(), 304);
    let began = Instant::now();
    let (open, ()) = tokio::join!(poll(&house, &token, Some(&etag), 30), async {
        house.command(&[idle("web1", "srv-101", 2)]).await;
    });
    let (answer, _) = polled(open).await;
    assert_eq!(answer.assignments[0].record.fence().seq, 2);
    assert!(began.elapsed() < Duration::from_secs(5));
}

#[tokio::test]
async fn an_agent_that_polls_is_seen() {
    let house = House::open().await;
    let machine = Machine::new("srv-101", 1);
    let token = machine.quick_token(&house).await;
    poll(&house, &token, None, 0).await;
    let metrics = house.get("/metrics").await.text().await.unwrap();
    assert!(
        metrics.contains("poolshift_agents_connected 1"),
        "{metrics}"
    );
    let machines: serde_json::Value = house.get("/api/v1/machines").await.json().await.unwrap();
    assert_eq!(machines[0]["machine"], "srv-101");
    assert!(machines[0]["last_seen"].is_string());
}
