//! What people may say of gates, freezes and rollouts that wait.

use events::{Ask, Report, Subject};
use serde_json::{Value, json};
use view::{FreezeView, TargetView};

use crate::house::{House, accepted, now, problem, rollout_of, target};

fn start(version: &str) -> Value {
    json!({
        "target": "production/checkout",
        "version": version,
        "sha256": events::sha256(version.as_bytes()).to_string(),
        "person": "ann",
    })
}

async fn last(house: &House) -> Report {
    let said = house.reports(&Subject::Target(target())).await;
    said.last().expect("somebody said something").1.clone()
}

#[tokio::test]
async fn a_fix_that_waits_is_told_to_take_over_and_both_rollouts_are_named() {
    let house = House::open().await;
    let halted = rollout_of(&accepted(house.start("key-1", &start("1.1")).await).await);
    let fix = rollout_of(&accepted(house.start("key-2", &start("1.2")).await).await);
    let path = format!("/api/v1/rollouts/{halted}/supersede");
    let body = json!({"with": fix.to_string(), "reason": "it mends them", "person": "ann"});
    accepted(house.post(&path, &body).await).await;
    let Report::Ask(Ask::SupersedeHalted(said)) = last(&house).await else {
        panic!("it was not said");
    };
    assert_eq!((said.rollout, said.successor), (halted, fix));

    let body = json!({"with": "00000000-0000-0000-0000-000000000000", "reason": "x"});
    let (status, said) = problem(house.post(&path, &body).await).await;
    assert_eq!(
        (status, &said["type"]),
        (404, &json!("urn:poolshift:problem:unknown-rollout"))
    );
}

#[tokio::test]
async fn an_override_carries_the_roles_that_the_people_file_gives() {
    let house = House::open().await;
    let rollout = rollout_of(&accepted(house.start("key-1", &start("1.1")).await).await);
    let path = format!("/api/v1/rollouts/{rollout}/overrides");
    let digest = events::sha256(b"the plan").to_string();
    let word = |gate: &str, person: &str| json!({"gate": gate, "person": person, "digest": digest, "reason": "nobody can pay"});
    accepted(house.post(&path, &word("window", "ann")).await).await;
    let Report::Ask(Ask::OverrideGate(said)) = last(&house).await else {
        panic!("it was not said");
    };
    assert_eq!(said.person.as_str(), "p_ann1");
    assert!(!said.roles.is_empty());
    let (status, said) = problem(house.post(&path, &word("approval", "ann")).await).await;
    assert_eq!(
        (status, &said["known"]),
        (422, &json!(["window", "freeze", "promotion"]))
    );
    let (status, _) = problem(house.post(&path, &word("window", "nobody")).await).await;
    assert_eq!(status, 403);
}

#[tokio::test]
async fn a_freeze_has_one_end_and_one_that_is_lifted_is_named() {
    let house = House::open().await;
    let path = "/api/v1/targets/production/checkout/freeze";
    for body in [
        json!({"reason": "the sale"}),
        json!({"reason": "the sale", "until": now().plus_ms(1).to_string(), "for_ms": 1}),
        json!({"reason": "the sale", "for_ms": 0}),
    ] {
        let (status, said) = problem(house.post(path, &body).await).await;
        assert_eq!((status, &said["field"]), (422, &json!("until")));
    }
    let body = json!({"reason": "the sale", "for_ms": 3_600_000});
    let said = accepted(
        house
            .post("/api/v1/environments/production/freeze", &body)
            .await,
    )
    .await;
    assert_eq!(said["reports"][0]["target"], "production/checkout");
    let Report::Ask(Ask::SetFreeze(freeze)) = last(&house).await else {
        panic!("it was not said");
    };
    assert_eq!(freeze.from, None);
    assert!(freeze.until > now().plus_ms(3_500_000));
    let (status, said) = problem(house.post("/api/v1/environments/prod/freeze", &body).await).await;
    assert_eq!((status, &said["known"]), (404, &json!(["production"])));

    let unfreeze = "/api/v1/targets/production/checkout/unfreeze";
    let body = json!({"reason": "sold out"});
    assert_eq!(problem(house.post(unfreeze, &body).await).await.0, 409);
    let shown = house.view.target(&target()).unwrap();
    let id = "0198d6f0-0000-7000-8000-000000000007".parse().unwrap();
    house.view.put_target(TargetView {
        freezes: vec![FreezeView {
            freeze: id,
            from: now(),
            until: now().plus_ms(1_000),
            reason: "the sale".to_owned(),
        }],
        ..(*shown.document).clone()
    });
    accepted(house.post(unfreeze, &body).await).await;
    let Report::Ask(Ask::LiftFreeze(lift)) = last(&house).await else {
        panic!("it was not said");
    };
    assert_eq!(lift.freezes, [id]);
}
