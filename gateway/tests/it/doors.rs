//! The listeners themselves.

use bus::{Bus, Options};
use poolshift_gateway::Gateway;
use serde_json::json;

use crate::house::{House, accepted, bytes, problem, settings, trigger, view};

#[tokio::test]
async fn the_api_does_not_listen_where_others_reach_it() {
    let folder = tempfile::tempdir().unwrap();
    let bus = Bus::open(&folder.path().join("log.db")).unwrap();
    let mut settings = settings(folder.path());
    settings.local = "0.0.0.0:0".parse().unwrap();
    let error = Gateway::bind(&settings, bus, view()).err().unwrap();
    assert!(
        error
            .to_string()
            .contains("set `local` to an address on loopback"),
        "{error}"
    );
}

#[tokio::test]
async fn an_address_that_is_taken_is_named_with_its_setting() {
    let house = House::open().await;
    let mut settings = house.settings.clone();
    settings.public = house.public.trim_start_matches("http://").parse().unwrap();
    let error = Gateway::bind(&settings, house.bus, view()).err().unwrap();
    let wanted = format!("cannot listen on {}: set `public`", settings.public);
    assert!(error.to_string().contains(&wanted), "{error}");
}

#[tokio::test]
async fn the_api_is_not_on_the_public_listener_and_webhooks_are_not_on_the_local_one() {
    let house = House::open().await;
    let api = house.client.get(format!("{}/api/v1/targets", house.public));
    assert_eq!(problem(api.send().await.unwrap()).await.0, 404);
    let hook = house.post("/webhooks/jenkins", &json!({})).await;
    assert_eq!(problem(hook).await.0, 404);
}

#[tokio::test]
async fn what_the_router_refuses_is_a_problem_too() {
    let house = House::open().await;
    let url = format!("{}/webhooks/jenkins", house.public);
    let (status, said) = problem(house.client.get(url).send().await.unwrap()).await;
    assert_eq!(
        (status, &said["detail"]),
        (405, &json!("GET /webhooks/jenkins"))
    );
    let (status, said) = problem(house.get("/nowhere").await).await;
    assert_eq!((status, &said["detail"]), (404, &json!("GET /nowhere")));
    let limit = house
        .get("/api/v1/targets/production/checkout/history?limit=x")
        .await;
    assert_eq!(problem(limit).await.0, 400);
}

#[tokio::test]
async fn a_page_in_a_browser_cannot_use_the_api() {
    let house = House::open().await;
    let url = format!("{}/api/v1/targets", house.local);
    let rebound = house.client.get(&url).header("host", "evil.example");
    assert_eq!(problem(rebound.send().await.unwrap()).await.0, 403);
    let enrol = format!("{}/api/v1/machines/srv-101/enrol", house.local);
    let form = house
        .client
        .post(enrol)
        .header("content-type", "text/plain");
    assert_eq!(problem(form.body("{}").send().await.unwrap()).await.0, 415);
}

#[tokio::test]
async fn both_listeners_say_that_they_are_alive_and_what_they_did() {
    let house = House::open().await;
    accepted(house.deliver("msg_1", &bytes(&trigger("1.1"))).await).await;
    for base in [&house.public, &house.local] {
        let get = async |path: &str| {
            let answer = house
                .client
                .get(format!("{base}{path}"))
                .send()
                .await
                .unwrap();
            assert_eq!(answer.status(), 200);
            answer.text().await.unwrap()
        };
        assert_eq!(get("/healthz").await, "alive\n");
        assert_eq!(get("/readyz").await, "ready\n");
        let metrics = get("/metrics").await;
        for line in [
            "poolshift_webhooks_total{sender=\"jenkins\",status=\"202\"} 1",
            "poolshift_http_requests_total{method=\"POST\",route=\"/webhooks/jenkins\",status=\"202\"} 1",
            "poolshift_agents_connected 0",
            "poolshift_append_failures_total 0",
        ] {
            assert!(metrics.contains(line), "{line} is not in {metrics}");
        }
    }
}

#[tokio::test]
async fn open_polls_end_at_once_when_the_gateway_ends() {
    let house = House::with(&Options::default(), |_| {}).await;
    let path = "/api/v1/targets/production/checkout";
    let etag = house.get(path).await.headers()["etag"].clone();
    let url = format!("{}{path}", house.local);
    let poll = house.client.get(url).header("if-none-match", etag);
    let polling = tokio::spawn(poll.header("prefer", "wait=60").send());
    house.until_polls_open(1).await;
    let began = std::time::Instant::now();
    house.end().await;
    assert_eq!(polling.await.unwrap().unwrap().status(), 304);
    assert!(began.elapsed() < std::time::Duration::from_secs(5));
}
