//! What a wrong body is told: every one of these is read by a person who must mend it.

use events::sha256;
use serde_json::{Value, json};

use crate::house::{House, TOKEN, accepted, bytes, problem, target, trigger};

type Change = fn(&mut Value);

/// Each a way to get a trigger wrong.
const WRONG: [(&str, Change); 17] = [
    ("no service", |body| {
        body.as_object_mut().unwrap().remove("service");
    }),
    ("a service that is no name", |body| {
        body["service"] = json!("../checkout");
    }),
    ("an environment in capitals", |body| {
        body["environment"] = json!("Production");
    }),
    ("a version with a slash", |body| {
        body["version"] = json!("1/2");
    }),
    ("a version that is a number", |body| {
        body["version"] = json!(1.1);
    }),
    ("no artifact", |body| {
        body.as_object_mut().unwrap().remove("artifact");
    }),
    ("no digest", |body| {
        body["artifact"] = json!({});
    }),
    ("a short digest", |body| {
        body["artifact"]["sha256"] = json!("sha256:abc");
    }),
    ("a URL with a token", |body| {
        body["artifact"]["url"] = json!("https://store.example/a.tar.gz?token=hunter2");
    }),
    ("a URL with a password", |body| {
        body["artifact"]["url"] = json!("https://ann:hunter2@store.example/a.tar.gz");
    }),
    ("a URL that is none", |body| {
        body["artifact"]["url"] = json!("s3://bucket/a.tar.gz");
    }),
    ("a package of tests without a digest", |body| {
        body["tests"] = json!({"url": "https://store.example/tests.tar.gz"});
    }),
    ("a package of tests with a token", |body| {
        body["tests"] = json!({
            "url": "https://store.example/t.tar.gz?token=hunter2",
            "sha256": "0".repeat(64),
        });
    }),
    ("no build number", |body| {
        body["build"].as_object_mut().unwrap().remove("number");
    }),
    ("a build number in words", |body| {
        body["build"]["number"] = json!("seven");
    }),
    ("an empty requester", |body| {
        body["requester"] = json!(" ");
    }),
    ("a time that is none", |body| {
        body["commit"] = json!({"repo": "r", "sha": "s", "committed_at": "yesterday"});
    }),
];

#[tokio::test]
async fn a_wrong_body_is_told_the_field_and_the_mend() {
    let house = House::open().await;
    let mut told = String::new();
    for (name, change) in WRONG {
        let mut body = trigger("1.1");
        change(&mut body);
        told += &tell(&house, name, &bytes(&body)).await;
    }
    told += &tell(&house, "nothing", b"").await;
    told += &tell(&house, "no JSON", b"version=1.1").await;
    told += &tell(&house, "half of it", b"{\"service\": \"check").await;
    told += &tell(&house, "two of them", b"{} {}").await;
    told += &tell(&house, "a list", b"[]").await;
    told += &tell(&house, "no UTF-8", b"{\"service\": \"\xff\"}").await;
    insta::assert_snapshot!(told);
    assert!(house.said().await.is_empty());
    assert!(!told.contains("hunter2"), "a secret came back");
}

async fn tell(house: &House, name: &str, body: &[u8]) -> String {
    let (status, mut said) = problem(house.deliver("msg_1", body).await).await;
    let object = said.as_object_mut().unwrap();
    object.remove("status");
    let mut told = format!("--- {name}: {status}\n");
    for (key, value) in object {
        told += &format!("{key}: {}\n", value.as_str().unwrap_or(&value.to_string()));
    }
    told
}

#[tokio::test]
async fn fields_that_nobody_knows_are_passed_over() {
    let house = House::open().await;
    let mut body = trigger("1.1");
    body["pipeline"] = json!({"stage": 3});
    assert_eq!(house.deliver("msg_1", &bytes(&body)).await.status(), 202);
}

#[tokio::test]
async fn a_field_that_is_there_twice_is_refused() {
    let house = House::open().await;
    let text = String::from_utf8(bytes(&trigger("1.1"))).unwrap();
    let twice = text.replacen('{', "{\"version\":\"9.9\",", 1);
    let (status, said) = problem(house.deliver("msg_1", twice.as_bytes()).await).await;
    assert_eq!(
        (status, &said["detail"]),
        (422, &json!("duplicate field `version`"))
    );
}

#[tokio::test]
async fn a_body_above_256_kib_is_refused_before_anything_else() {
    let house = House::open().await;
    let send = async |size: usize| {
        let url = format!("{}/webhooks/jenkins", house.public);
        let request = house.client.post(url).bearer_auth(TOKEN);
        request
            .body(vec![b' '; size])
            .send()
            .await
            .unwrap()
            .status()
            .as_u16()
    };
    assert_eq!(send(256 * 1024).await, 400);
    assert_eq!(send(256 * 1024 + 1).await, 413);
}

#[tokio::test]
async fn what_would_not_fit_into_a_record_is_refused_at_the_door_and_its_key_is_free_again() {
    let house = House::open().await;
    let mut start = json!({
        "target": target(),
        "version": "1.1",
        "sha256": sha256(b"1.1"),
        "reason": "x".repeat(64 * 1024),
    });
    let (status, said) = problem(house.start("key-1", &start).await).await;
    assert_eq!(status, 413, "{said}");
    let detail = said["detail"].as_str().unwrap();
    assert!(
        detail.contains("`poolshift.ask.rollout`") && detail.ends_with("at most 64512 are taken"),
        "{detail}"
    );
    assert_eq!(said["mend"], "shorten the longest text in it");
    // Each line end takes two bytes in the log.
    let entry = json!({"target": target(), "entry": "\n".repeat(400 * 1024)});
    let (status, said) = problem(house.post("/api/v1/catalogue", &entry).await).await;
    assert_eq!(
        (status, &said["title"]),
        (413, &json!("the record would be too large"))
    );
    assert!(house.said().await.is_empty());

    start["reason"] = json!("a short one");
    accepted(house.start("key-1", &start).await).await;
}

#[tokio::test]
async fn a_target_that_stands_still_takes_no_request_that_would_wait_for_ever() {
    let house = House::open().await;
    let mut still = (*house.view.target(&target()).unwrap().document).clone();
    still.stands_still = Some("event at offset 7: was written by a newer Poolshift".to_owned());
    house.view.put_target(still.clone());
    let (status, said) = problem(house.deliver("msg_1", &bytes(&trigger("1.1"))).await).await;
    assert_eq!((status, &said["detail"]), (409, &json!(still.stands_still)));
    let start = json!({
        "target": target(),
        "version": "1.1",
        "sha256": sha256(b"1.1"),
    });
    assert_eq!(problem(house.start("key-1", &start).await).await.0, 409);
    assert!(house.said().await.is_empty());
}
