//! An agent as the gateway meets it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use ed25519_dalek::{Signer as _, SigningKey};
use events::{
    Answer, Ask, Enrolled, EnrolmentCode, MachineName, PollAnswer, Report, ReportBatch, ReportId,
    Subject, Timestamp, WireReport,
};
use reqwest::Response;
use serde_json::{Value, json};
use view::MachineView;

use crate::house::{House, PATIENCE, now, target};

pub(crate) struct Machine {
    pub(crate) name: MachineName,
    key: SigningKey,
}

impl Machine {
    pub(crate) fn new(name: &str, seed: u8) -> Self {
        Self {
            name: name.parse().unwrap(),
            key: SigningKey::from_bytes(&[seed; 32]),
        }
    }

    pub(crate) fn public_key(&self) -> String {
        BASE64.encode(self.key.verifying_key().as_bytes())
    }

    pub(crate) fn sign(&self, text: &str) -> String {
        BASE64.encode(self.key.sign(text.as_bytes()).to_bytes())
    }

    pub(crate) async fn code(&self, house: &House) -> EnrolmentCode {
        let path = format!("/api/v1/machines/{}/enrol", self.name);
        let answer = house.post(&path, &json!({})).await;
        assert_eq!(answer.status(), 201);
        answer.json().await.unwrap()
    }

    pub(crate) async fn enrol(&self, house: &House, code: &str) -> Response {
        let key = self.public_key();
        let signature = self.sign(&format!("{}\n{code}\n{key}", self.name));
        let body = json!({
            "machine": self.name,
            "code": code,
            "public_key": key,
            "signature": signature,
        });
        post(house, "/agents/v1/enrol", None, &body).await
    }

    /// Enrols, with the orchestrator taking it as soon as the report is there.
    pub(crate) async fn enrolled(&self, house: &House) -> Enrolled {
        let code = self.code(house).await;
        let (answer, ()) = tokio::join!(self.enrol(house, &code.code), self.taken(house));
        assert_eq!(answer.status(), 200);
        answer.json().await.unwrap()
    }

    /// What the orchestrator does: reads the report, and the key counts.
    pub(crate) async fn taken(&self, house: &House) {
        let subject = Subject::Machine(self.name.clone());
        let key = self.public_key();
        let waiting = tokio::time::timeout(PATIENCE, async {
            loop {
                let said = house.reports(&subject).await;
                let there = said.iter().any(|(_, report)| {
                    matches!(report, Report::Ask(Ask::EnrolAgent(ask)) if ask.public_key == key)
                });
                if there {
                    return;
                }
                tokio::time::sleep(std::time::Duration::from_millis(10)).await;
            }
        });
        waiting.await.unwrap();
        self.counts(house, false);
    }

    pub(crate) fn counts(&self, house: &House, revoked: bool) {
        house.view.put_machine(MachineView {
            machine: self.name.clone(),
            public_key: self.public_key(),
            revoked,
            stands_still: None,
        });
    }

    /// Nobody can say any more whether its key counts.
    pub(crate) fn stands_still(&self, house: &House, why: &str) {
        house.view.put_machine(MachineView {
            machine: self.name.clone(),
            public_key: self.public_key(),
            revoked: false,
            stands_still: Some(why.to_owned()),
        });
    }

    pub(crate) async fn token(&self, house: &House, issued_at: Timestamp) -> Response {
        let body = json!({
            "machine": self.name,
            "issued_at": issued_at,
            "signature": self.sign(&format!("{}\n{issued_at}", self.name)),
        });
        post(house, "/agents/v1/token", None, &body).await
    }

    /// A token without the ceremony.
    pub(crate) async fn quick_token(&self, house: &House) -> String {
        self.counts(house, false);
        let answer = self.token(house, now()).await;
        assert_eq!(answer.status(), 200);
        let enrolled: Enrolled = answer.json().await.unwrap();
        enrolled.token
    }
}

pub(crate) async fn post(house: &House, path: &str, token: Option<&str>, body: &Value) -> Response {
    let mut request = house.client.post(format!("{}{path}", house.public));
    if let Some(token) = token {
        request = request.bearer_auth(token);
    }
    request.json(body).send().await.unwrap()
}

pub(crate) async fn poll(house: &House, token: &str, etag: Option<&str>, wait_s: u64) -> Response {
    let mut request = house
        .client
        .get(format!("{}/agents/v1/commands", house.public))
        .bearer_auth(token)
        .header("prefer", format!("wait={wait_s}"));
    if let Some(etag) = etag {
        request = request.header("if-none-match", etag);
    }
    request.send().await.unwrap()
}

/// A poll's answer, and its tag.
pub(crate) async fn polled(answer: Response) -> (PollAnswer, String) {
    assert_eq!(answer.status(), 200);
    let etag = answer.headers()["etag"].to_str().unwrap().to_owned();
    (answer.json().await.unwrap(), etag)
}

pub(crate) async fn report(house: &House, token: &str, reports: Vec<WireReport>) -> Response {
    let body = serde_json::to_value(ReportBatch { reports }).unwrap();
    post(house, "/agents/v1/reports", Some(token), &body).await
}

pub(crate) fn wire(answer: impl Into<Answer>) -> WireReport {
    let report: Report = answer.into().into();
    WireReport {
        id: ReportId::new(uuid::Uuid::now_v7()),
        target: target(),
        reported_at: now(),
        kind: report.kind().to_owned(),
        version: report.version(),
        traceparent: None,
        body: serde_json::from_slice(&report.to_bytes()).unwrap(),
    }
}
