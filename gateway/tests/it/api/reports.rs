//! What came of a report.

use bus::{Outgoing, Stream};
use events::{Envelope, Subject, partition_of};
use serde_json::{Value, json};

use crate::house::{House, accepted, target};

/// A wish of somebody, as it was answered.
async fn wish(house: &House) -> String {
    let body = json!({ "until": "2100-01-01T00:00:00.000Z", "reason": "the sale" });
    let path = format!("/api/v1/targets/{}/freeze", target());
    let said = accepted(house.post(&path, &body).await).await;
    said["reports"][0]["report"].as_str().unwrap().to_owned()
}

/// The owner does not take what was said last.
async fn refuse(house: &House, why: &str) {
    let (envelope, report) = house.said().await.pop().unwrap();
    let mut headers = Envelope::to_headers(&envelope);
    headers.push(("poolshift-refused".to_owned(), why.to_owned()));
    let record = Outgoing {
        key: target().to_string(),
        headers,
        value: report.to_bytes(),
    };
    let partition = partition_of(&Subject::Target(target()));
    let appended = house.bus.append(Stream::Rejected, partition, vec![record]);
    appended.await.unwrap();
}

#[tokio::test]
async fn whoever_waits_for_what_came_of_a_report_is_told_why_it_was_not_taken() {
    let house = House::open().await;
    let report = wish(&house).await;
    let url = format!("{}/api/v1/reports/{report}", house.local);
    let nothing: Value = house
        .client
        .get(&url)
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    assert_eq!(nothing, json!({ "report": report, "refused": null }));
    let poll = house.client.get(&url).header("prefer", "wait=20").send();
    let poll = tokio::spawn(poll);
    house.until_polls_open(1).await;
    refuse(&house, "a freeze ends within 365 days").await;
    let told: Value = poll.await.unwrap().unwrap().json().await.unwrap();
    assert_eq!(told["refused"], "a freeze ends within 365 days");
    // Who comes later is told as well.
    let told: Value = house
        .client
        .get(&url)
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    assert_eq!(told["refused"], "a freeze ends within 365 days");
    let unknown = house.get("/api/v1/reports/nonsense").await;
    assert_eq!(unknown.status(), 404);
}
