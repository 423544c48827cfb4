//! What the Notification plugin may rely on, which never looks at the answer and proves little.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use bus::Options;
use events::{ActorKind, Ask, Report, Trust, sha256};
use reqwest::{RequestBuilder, Response};
use serde_json::{Value, json};
use view::JenkinsView;

use crate::house::{House, accepted, problem, rollout_of, target};

const TOKEN: &str = "a-token-of-the-notification-plugin-of-32";

async fn house() -> House {
    let house = House::with(&Options::default(), |settings| {
        let file = settings.key.with_file_name("notification-tokens");
        std::fs::write(&file, format!("{}\n{TOKEN}\n", "o".repeat(32))).unwrap();
        settings.notification_secrets = vec![format!("file:{}", file.display())];
    })
    .await;
    let shown = house.view.target(&target()).unwrap();
    let mut document = view::TargetView::clone(&shown.document);
    document.jenkins = Some(JenkinsView {
        job: "https://jenkins.example/job/checkout/job/main/".to_owned(),
        version_parameter: Some("VERSION".to_owned()),
        sha256_parameter: Some("SHA256".to_owned()),
        environment: None,
        environment_parameter: None,
    });
    house.view.put_target(document);
    house
}

fn body(phase: &str) -> Value {
    json!({
        "name": "main",
        "url": "job/checkout/job/main/",
        "build": {
            "full_url": "https://jenkins.example/job/checkout/job/main/7/",
            "number": 7,
            "phase": phase,
            "status": "SUCCESS",
            "url": "job/checkout/job/main/7/",
            "scm": {"culprits": ["Ann"]},
            "parameters": {"VERSION": "1.1", "SHA256": sha256(b"1.1").to_string()},
            "log": "",
            "artifacts": {},
        },
    })
}

fn post(house: &House, path: &str, body: &Value) -> RequestBuilder {
    let url = format!("{}/webhooks/jenkins-notification{path}", house.public);
    house.client.post(url).json(body)
}

async fn send(house: &House, body: &Value) -> Response {
    post(house, &format!("/{TOKEN}"), body)
        .send()
        .await
        .unwrap()
}

async fn metrics(house: &House) -> String {
    house.get("/metrics").await.text().await.unwrap()
}

#[tokio::test]
async fn every_phase_of_a_build_that_is_over_asks_for_one_rollout() {
    let house = house().await;
    let mut ids = Vec::new();
    for phase in ["COMPLETED", "FINALIZED", "FINISHED", "COMPLETED"] {
        ids.push(rollout_of(
            &accepted(send(&house, &body(phase)).await).await,
        ));
    }
    ids.dedup();
    assert_eq!(ids.len(), 1);
    let said = house.said().await;
    assert_eq!(said.len(), 1, "{said:?}");
    let (envelope, report) = &said[0];
    assert_eq!(envelope.actor.kind, ActorKind::Job);
    assert_eq!(
        envelope.actor.id,
        "https://jenkins.example/job/checkout/job/main/"
    );
    let Report::Ask(Ask::RequestRollout(asked)) = report else {
        panic!("{report:?}")
    };
    assert_eq!((asked.proven, &asked.trust), (false, &Trust::Low));
    assert_eq!(asked.claims[0].person, "p_ann1".parse().ok());
    assert_eq!(asked.artifact.sha256, sha256(b"1.1"));
    assert_eq!(
        asked.build.as_ref().unwrap().controller,
        "https://jenkins.example/"
    );
}

#[tokio::test]
async fn what_asks_for_nothing_is_answered_with_the_reason() {
    let house = house().await;
    for phase in ["QUEUED", "STARTED", "NONE"] {
        let answer = send(&house, &body(phase)).await;
        assert_eq!(answer.status(), 200);
        let said: Value = answer.json().await.unwrap();
        let why = said["ignored"].as_str().unwrap();
        assert!(why.contains(phase), "{why}");
    }
    let mut failed = body("COMPLETED");
    failed["build"]["status"] = json!("FAILURE");
    let said: Value = send(&house, &failed).await.json().await.unwrap();
    assert_eq!(
        said["ignored"],
        "status FAILURE asks for nothing; SUCCESS does"
    );
    assert!(house.said().await.is_empty());
    let wanted = r#"outcomes_total{outcome="ignored",sender="jenkins-notification"} 4"#;
    assert!(metrics(&house).await.contains(wanted));
}

#[tokio::test]
async fn a_token_counts_in_the_path_or_as_the_password_of_basic() {
    let house = house().await;
    let basic = |text: &str| format!("Basic {}", BASE64.encode(text));
    let with =
        |header: String| post(&house, "", &body("COMPLETED")).header("authorization", header);
    for good in [
        format!("jenkins:{TOKEN}"),
        TOKEN.to_owned(),
        format!(":{TOKEN}"),
    ] {
        accepted(with(basic(&good)).send().await.unwrap()).await;
    }
    for bad in [
        with(basic(&format!("{TOKEN}:x"))),
        with(basic("")),
        with("Basic ***".to_owned()),
        with(format!("Bearer {TOKEN}")),
        post(&house, "", &body("COMPLETED")),
        post(&house, &format!("/{}", &TOKEN[1..]), &body("COMPLETED")),
        // A token of the door that proves more is none of this one.
        post(
            &house,
            &format!("/{}", crate::house::TOKEN),
            &body("COMPLETED"),
        ),
    ] {
        assert_eq!(problem(bad.send().await.unwrap()).await.0, 401);
    }
}

#[tokio::test]
async fn a_token_of_this_door_opens_no_other() {
    let house = house().await;
    let url = format!("{}/webhooks/jenkins", house.public);
    let answer = house
        .client
        .post(url)
        .bearer_auth(TOKEN)
        .body("{}")
        .send()
        .await;
    assert_eq!(problem(answer.unwrap()).await.0, 401);
}

#[tokio::test]
async fn without_a_sha256_the_parameter_to_add_is_named_and_the_refusal_is_counted() {
    let house = house().await;
    let mut without = body("COMPLETED");
    without["build"]["parameters"]
        .as_object_mut()
        .unwrap()
        .remove("SHA256");
    let (status, said) = problem(send(&house, &without).await).await;
    assert_eq!(
        (status, &said["type"]),
        (422, &json!("urn:poolshift:problem:no-sha256"))
    );
    let mend = said["mend"].as_str().unwrap();
    assert!(
        mend.contains("add a string parameter `SHA256` to the job"),
        "{mend}"
    );
    let wanted = r#"outcomes_total{outcome="no-sha256",sender="jenkins-notification"} 1"#;
    assert!(metrics(&house).await.contains(wanted));
    assert!(house.said().await.is_empty());
}

#[tokio::test]
async fn xml_is_told_to_choose_json() {
    let house = house().await;
    let url = format!("{}/webhooks/jenkins-notification/{TOKEN}", house.public);
    let xml = house
        .client
        .post(url)
        .header("content-type", "application/xml;charset=UTF-8")
        .body("<job><name>main</name></job>");
    let (status, said) = problem(xml.send().await.unwrap()).await;
    assert_eq!(status, 415);
    assert!(said["mend"].as_str().unwrap().contains("JSON"), "{said}");
}

#[tokio::test]
async fn no_answer_and_no_counter_holds_the_token() {
    let house = house().await;
    let url = format!("{}/webhooks/jenkins-notification/{TOKEN}", house.public);
    for answer in [
        house.client.get(&url).send().await.unwrap(),
        house
            .client
            .post(format!("{url}/more"))
            .send()
            .await
            .unwrap(),
        house.client.post(&url).body("{").send().await.unwrap(),
        send(&house, &body("COMPLETED")).await,
    ] {
        let said = answer.text().await.unwrap();
        assert!(!said.contains(TOKEN), "{said}");
    }
    let metrics = metrics(&house).await;
    assert!(!metrics.contains(TOKEN), "{metrics}");
    let wanted = r#"poolshift_webhooks_total{sender="jenkins-notification",status="405"} 1"#;
    assert!(metrics.contains(wanted), "{metrics}");
}

#[tokio::test]
async fn without_a_token_there_is_no_door() {
    let house = House::open().await;
    let (status, said) = problem(send(&house, &body("COMPLETED")).await).await;
    assert_eq!(status, 403);
    assert!(
        said["mend"]
            .as_str()
            .unwrap()
            .contains("notification_secrets"),
        "{said}"
    );
}

#[tokio::test]
async fn a_long_log_of_the_build_is_borne() {
    let house = house().await;
    let mut long = body("COMPLETED");
    long["build"]["log"] = json!("x".repeat(1_900_000));
    accepted(send(&house, &long).await).await;
    long["build"]["log"] = json!("x".repeat(2_100_000));
    assert_eq!(problem(send(&house, &long).await).await.0, 413);
}
