//! What a build server may rely on.

mod notifications;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use bus::Options;
use events::{ActorKind, Ask, Report, Trust, sha256};
use serde_json::json;

use crate::house::{House, KEY, TOKEN, accepted, bytes, now, problem, rollout_of, target, trigger};

#[tokio::test]
async fn an_accepted_trigger_is_durable_and_names_its_rollout() {
    let house = House::open().await;
    let answer = accepted(house.deliver("msg_1", &bytes(&trigger("1.1"))).await).await;
    let id = rollout_of(&answer);
    assert_eq!(id, events::RolloutId::of(&target(), "jenkins", "msg_1"));
    assert_eq!(
        answer["url"],
        format!("https://poolshift.example/api/v1/rollouts/{id}")
    );
    let said = house.said().await;
    let (envelope, report) = &said[0];
    assert_eq!(envelope.actor.kind, ActorKind::Job);
    assert_eq!(
        envelope.actor.id,
        "https://jenkins.example/job/checkout/job/main/"
    );
    let Report::Ask(Ask::RequestRollout(asked)) = report else {
        panic!("{report:?}")
    };
    assert_eq!((asked.rollout, asked.key.as_str()), (id, "msg_1"));
    assert_eq!((asked.proven, &asked.trust), (false, &Trust::Full));
    assert_eq!(asked.claims[0].person, "p_ann1".parse().ok());
    assert_eq!(asked.claims[0].name_sha256, sha256(b"Ann"));
}

#[tokio::test]
async fn a_package_of_tests_is_part_of_what_is_asked_for() {
    let house = House::open().await;
    let mut body = trigger("1.1");
    body["tests"] = json!({
        "url": "https://store.example/tests.tar.gz",
        "sha256": "1".repeat(64),
    });
    accepted(house.deliver("msg_1", &bytes(&body)).await).await;
    let said = house.said().await;
    let Report::Ask(Ask::RequestRollout(asked)) = &said[0].1 else {
        panic!("{:?}", said[0].1)
    };
    let tests = asked.tests.as_ref().unwrap();
    assert_eq!(tests.url, "https://store.example/tests.tar.gz");
    assert_eq!(
        tests.sha256.to_string(),
        format!("sha256:{}", "1".repeat(64))
    );

    body["tests"]["sha256"] = json!("2".repeat(64));
    let other = house.deliver("msg_1", &bytes(&body)).await;
    assert_eq!(
        problem(other).await.0,
        422,
        "another package is another request"
    );
}

#[tokio::test]
async fn the_same_delivery_five_times_is_one_rollout() {
    let house = House::open().await;
    let body = bytes(&trigger("1.1"));
    let five = [(); 5].map(|()| house.deliver("msg_1", &body));
    let [a, b, c, d, e] = five;
    let (a, b, c, d, e) = tokio::join!(a, b, c, d, e);
    let mut ids = Vec::new();
    for answer in [a, b, c, d, e] {
        ids.push(rollout_of(&accepted(answer).await));
    }
    ids.dedup();
    assert_eq!(ids.len(), 1);
    let reports = house.said().await;
    let mut report_ids: Vec<_> = reports.iter().map(|(envelope, _)| envelope.id).collect();
    report_ids.dedup();
    assert_eq!(report_ids.len(), 1);
    let before = reports.len();
    accepted(house.deliver("msg_1", &body).await).await;
    assert_eq!(house.said().await.len(), before);
}

#[tokio::test]
async fn the_same_key_with_other_content_is_refused() {
    let house = House::open().await;
    accepted(house.deliver("msg_1", &bytes(&trigger("1.1"))).await).await;
    let other = house.deliver("msg_1", &bytes(&trigger("1.2"))).await;
    let (status, said) = problem(other).await;
    assert_eq!(
        (status, &said["type"]),
        (422, &json!("urn:poolshift:problem:key-reused"))
    );
    assert_eq!(house.said().await.len(), 1);
}

#[tokio::test]
async fn without_a_key_the_build_and_what_it_made_are_the_key() {
    let house = House::open().await;
    let send = async |body: &serde_json::Value| {
        let url = format!("{}/webhooks/jenkins", house.public);
        let request = house.client.post(url).bearer_auth(TOKEN);
        rollout_of(&accepted(request.json(body).send().await.unwrap()).await)
    };
    let first = send(&trigger("1.1")).await;
    assert_eq!(send(&trigger("1.1")).await, first);
    assert_ne!(send(&trigger("1.2")).await, first);
    let mut anew = trigger("1.1");
    anew["build"]["url"] = json!("https://jenkins.example/job/checkout/job/main/8/");
    assert_ne!(send(&anew).await, first);
}

#[tokio::test]
async fn each_of_several_secrets_counts_and_no_other() {
    let house = House::open().await;
    let seconds = now().as_ms() / 1000;
    let body = bytes(&trigger("1.1"));
    let mut second = KEY;
    second.reverse();
    for key in [KEY, second] {
        accepted(house.deliver_signed("msg_1", seconds, &key, &body).await).await;
    }
    let stranger = house
        .deliver_signed("msg_1", seconds, &[9; 24], &body)
        .await;
    assert_eq!(problem(stranger).await.0, 401);
}

#[tokio::test]
async fn whatever_is_not_proven_gets_the_same_answer() {
    let house = House::open().await;
    let body = bytes(&trigger("1.1"));
    let seconds = now().as_ms() / 1000;
    let url = format!("{}/webhooks/jenkins", house.public);
    let bare = || house.client.post(&url).body(body.clone());
    let answers = [
        bare().send().await.unwrap(),
        bare().bearer_auth("wrong").send().await.unwrap(),
        bare().header("webhook-id", "msg_1").send().await.unwrap(),
        house
            .deliver_signed("msg_1", seconds - 301, &KEY, &body)
            .await,
        house
            .deliver_signed("msg_1", seconds + 302, &KEY, &body)
            .await,
        house
            .deliver_signed("msg_1", seconds, b"other", &body)
            .await,
    ];
    let mut said = Vec::new();
    for answer in answers {
        said.push(problem(answer).await);
    }
    assert_eq!(said[0].0, 401);
    assert!(said.iter().all(|one| *one == said[0]), "{said:?}");
    assert!(house.said().await.is_empty());
}

#[tokio::test]
async fn a_replay_under_another_idempotency_key_is_no_other_rollout() {
    let house = House::open().await;
    let body = bytes(&trigger("1.1"));
    let seconds = (now().as_ms() / 1000).to_string();
    let signature = {
        use hmac::{Hmac, KeyInit as _, Mac as _};
        let mut mac = Hmac::<sha2::Sha256>::new_from_slice(&KEY).unwrap();
        mac.update(format!("msg_1.{seconds}.").as_bytes());
        mac.update(&body);
        format!("v1,{}", BASE64.encode(mac.finalize().into_bytes()))
    };
    let mut ids = Vec::new();
    for key in ["a", "b"] {
        let request = house
            .client
            .post(format!("{}/webhooks/jenkins", house.public))
            .header("webhook-id", "msg_1")
            .header("webhook-timestamp", &seconds)
            .header("webhook-signature", &signature)
            .header("idempotency-key", key)
            .body(body.clone());
        ids.push(rollout_of(&accepted(request.send().await.unwrap()).await));
    }
    assert_eq!(ids[0], ids[1]);
}

#[tokio::test]
async fn without_a_secret_there_is_no_door() {
    let house = House::with(&Options::default(), |settings| {
        settings.webhook_secrets.clear();
    })
    .await;
    let answer = house.deliver("msg_1", &bytes(&trigger("1.1"))).await;
    let (status, said) = problem(answer).await;
    assert_eq!(status, 403);
    let mend = said["mend"].as_str().unwrap();
    assert!(mend.contains("webhook_secrets"), "{mend}");
}

#[tokio::test]
async fn a_report_that_cannot_be_stored_is_not_accepted_and_may_come_again() {
    let full = Options { max_bytes: Some(1) };
    let house = House::with(&full, |_| {}).await;
    let answer = house.deliver("msg_1", &bytes(&trigger("1.1"))).await;
    assert_eq!(answer.headers()["retry-after"], "5");
    let (status, said) = problem(answer).await;
    assert_eq!(
        (status, &said["type"]),
        (503, &json!("urn:poolshift:problem:not-durable"))
    );
    let id = events::RolloutId::of(&target(), "jenkins", "msg_1");
    assert_eq!(
        house.get(&format!("/api/v1/rollouts/{id}")).await.status(),
        404
    );
    let metrics = house.get("/metrics").await.text().await.unwrap();
    assert!(
        metrics.contains("poolshift_append_failures_total 1"),
        "{metrics}"
    );
}

#[tokio::test]
async fn a_pipeline_follows_its_rollout_at_the_public_door_with_its_token_and_no_other() {
    let house = House::open().await;
    let id = rollout_of(&accepted(house.deliver("msg_1", &bytes(&trigger("1.1"))).await).await);
    let get = || {
        house
            .client
            .get(format!("{}/api/v1/rollouts/{id}", house.public))
    };
    assert_eq!(problem(get().send().await.unwrap()).await.0, 401);
    let wrong = get().bearer_auth("x".repeat(41)).send().await.unwrap();
    assert_eq!(problem(wrong).await.0, 401);
    let shown = get().bearer_auth(TOKEN).send().await.unwrap();
    let etag = shown.headers()["etag"].clone();
    let shown: serde_json::Value = shown.json().await.unwrap();
    assert_eq!(shown["status"], "accepted");
    let same = get()
        .bearer_auth(TOKEN)
        .header("if-none-match", etag)
        .send()
        .await
        .unwrap();
    assert_eq!(same.status(), 304);
}

#[tokio::test]
async fn an_unknown_target_is_answered_with_the_known_ones() {
    let house = House::open().await;
    let mut body = trigger("1.1");
    body["environment"] = json!("staging");
    let (status, said) = problem(house.deliver("msg_1", &bytes(&body)).await).await;
    assert_eq!(status, 404);
    assert_eq!(said["known"], json!(["production/checkout"]));
}
