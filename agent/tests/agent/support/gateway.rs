//! The gateway's side of the wire, as the contract has it.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use ed25519_dalek::{Signature, Verifier as _, VerifyingKey};
use events::{
    Assignment, Enrolled, Enrolment, Look, Looked, PollAnswer, ReportBatch, ReportOutcome,
    Timestamp, WireReport,
};
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use poolshift_agent::Renewal;
use tokio::sync::watch;

/// What the gateway knows, and how it behaves.
#[derive(Default)]
pub(crate) struct Known {
    pub(crate) code: String,
    pub(crate) key: Option<VerifyingKey>,
    pub(crate) token: String,
    pub(crate) tokens_made: u32,
    pub(crate) records: BTreeMap<String, Assignment>,
    /// Each report that came, as often as it came.
    pub(crate) delivered: Vec<WireReport>,
    pub(crate) artifacts: BTreeMap<String, Vec<u8>>,
    pub(crate) is_revoked: bool,
    /// So many answers to reports get lost after the reports were taken.
    pub(crate) lose_outcomes: u32,
    /// So many requests fail.
    pub(crate) fail: u32,
    pub(crate) forbidden: u32,
    pub(crate) requests: Vec<String>,
    /// What answers as the server under test: (its name, its body).
    pub(crate) under_test: (String, String),
    /// Downloads wait for this.
    pub(crate) hold_downloads: bool,
    pub(crate) polls: u32,
    /// What is asked of the machine.
    pub(crate) look: Option<Look>,
    /// How often it was asked, the same question included.
    pub(crate) looks: u32,
    /// What the agent saw.
    pub(crate) looked: Vec<Looked>,
}

#[derive(Clone)]
pub(crate) struct Gateway {
    known: Arc<Mutex<Known>>,
    changed: watch::Sender<u64>,
    pub(crate) address: SocketAddr,
}

type Answer = Response<Full<Bytes>>;

impl Gateway {
    pub(crate) async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
            .await
            .expect("a port");
        let gateway = Self {
            known: Arc::default(),
            changed: watch::Sender::new(0),
            address: listener.local_addr().expect("an address"),
        };
        let served = gateway.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let gateway = served.clone();
                let service = hyper::service::service_fn(move |request| {
                    let gateway = gateway.clone();
                    async move { Ok::<_, Infallible>(gateway.answer(request).await) }
                });
                tokio::spawn(
                    hyper::server::conn::http1::Builder::new()
                        .serve_connection(TokioIo::new(stream), service),
                );
            }
        });
        gateway
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Looks at or changes what the gateway knows.
    pub(crate) fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().expect("no test panicked here")
    }

    /// Changes what it knows; polls that wait come back.
    pub(crate) fn change<T>(&self, change: impl FnOnce(&mut Known) -> T) -> T {
        let changed = change(&mut self.known());
        self.changed.send_modify(|tag| *tag += 1);
        changed
    }

    /// Waits until what it knows satisfies `found`.
    pub(crate) async fn until<T>(
        &self,
        what: &str,
        mut found: impl FnMut(&Known) -> Option<T>,
    ) -> T {
        let mut changes = self.changed.subscribe();
        let wait = async {
            loop {
                if let Some(found) = found(&self.known()) {
                    return found;
                }
                changes.changed().await.expect("the gateway lives");
            }
        };
        let waited = tokio::time::timeout(Duration::from_secs(30), wait).await;
        waited.unwrap_or_else(|_| {
            let kinds: Vec<String> = self
                .known()
                .delivered
                .iter()
                .map(|r| r.kind.clone())
                .collect();
            panic!("waited 30 s for {what}; delivered: {kinds:?}")
        })
    }

    async fn answer(&self, request: Request<Incoming>) -> Answer {
        let path = request.uri().path().to_owned();
        self.change(|known| known.requests.push(path.clone()));
        if path.starts_with("/agents/") {
            let failing = self.change(|known| {
                let failing = known.fail > 0;
                known.fail = known.fail.saturating_sub(1);
                failing
            });
            if failing {
                return text(StatusCode::SERVICE_UNAVAILABLE, "not now");
            }
        }
        match path.as_str() {
            "/agents/v1/enrol" => self.enrol(&body(request).await),
            "/agents/v1/token" => self.renew(&body(request).await),
            "/agents/v1/commands" => self.commands(&request).await,
            "/agents/v1/reports" => self.reports(request).await,
            "/agents/v1/look" => {
                let looked = serde_json::from_slice(&body(request).await).expect("what was seen");
                self.change(|known| known.looked.push(looked));
                text(StatusCode::NO_CONTENT, "")
            }
            "/under-test" => self.under_test(&request),
            _ => self.file(&path).await,
        }
    }

    fn enrol(&self, body: &[u8]) -> Answer {
        let enrolment: Enrolment = serde_json::from_slice(body).expect("an enrolment");
        let key = BASE64.decode(&enrolment.public_key).expect("base64");
        let key = VerifyingKey::from_bytes(&key.try_into().expect("32 bytes")).expect("a key");
        let signed = format!(
            "{}\n{}\n{}",
            enrolment.machine, enrolment.code, enrolment.public_key
        );
        assert!(signed_by(&key, &signed, &enrolment.signature));
        if enrolment.code != self.known().code {
            return text(StatusCode::UNAUTHORIZED, "this code is not known");
        }
        self.change(|known| known.key = Some(key));
        self.token()
    }

    fn renew(&self, body: &[u8]) -> Answer {
        let renewal: Renewal = serde_json::from_slice(body).expect("a renewal");
        let signed = format!("{}\n{}", renewal.machine, renewal.issued_at);
        let key = self.known().key.expect("an enrolled key");
        if !signed_by(&key, &signed, &renewal.signature) {
            return text(StatusCode::UNAUTHORIZED, "not by the key that counts");
        }
        if self.known().is_revoked {
            return text(StatusCode::FORBIDDEN, "revoked");
        }
        self.token()
    }

    fn token(&self) -> Answer {
        let enrolled = self.change(|known| {
            known.tokens_made += 1;
            known.token = format!("token-{}", known.tokens_made);
            Enrolled {
                token: known.token.clone(),
                expires_at: Timestamp::FAR,
            }
        });
        json(&enrolled)
    }

    /// Nothing without the token that holds.
    fn refuse(&self, request: &Request<Incoming>) -> Option<Answer> {
        if self.known().is_revoked {
            self.change(|known| known.forbidden += 1);
            return Some(text(StatusCode::FORBIDDEN, "revoked"));
        }
        let wanted = format!("Bearer {}", self.known().token);
        let given = request.headers().get("authorization");
        let is_good = given.is_some_and(|given| given.as_bytes() == wanted.as_bytes());
        (!is_good).then(|| text(StatusCode::UNAUTHORIZED, "who are you?"))
    }

    async fn commands(&self, request: &Request<Incoming>) -> Answer {
        if let Some(refused) = self.refuse(request) {
            return refused;
        }
        assert_eq!(request.headers()["prefer"], "wait=30");
        let has = request.headers().get("if-none-match").cloned();
        let tag = |known: &Known| {
            let records: Vec<_> = known.records.values().collect();
            let bytes = serde_json::to_vec(&(records, &known.look, known.looks));
            format!("\"{}\"", events::sha256(&bytes.expect("JSON")).short())
        };
        let mut changes = self.changed.subscribe();
        let news = async {
            loop {
                if has
                    .as_ref()
                    .is_none_or(|has| has != tag(&self.known()).as_str())
                {
                    return;
                }
                changes.changed().await.expect("the gateway lives");
            }
        };
        if tokio::time::timeout(Duration::from_secs(30), news)
            .await
            .is_err()
        {
            return text(StatusCode::NOT_MODIFIED, "");
        }
        self.change(|known| known.polls += 1);
        let known = self.known();
        let answer = PollAnswer {
            look: known.look.clone(),
            server_time: Timestamp::from_ms(0),
            assignments: known.records.values().cloned().collect(),
            renewed: None,
        };
        let mut response = json(&answer);
        let tag = tag(&known).parse().expect("a tag");
        response.headers_mut().insert("etag", tag);
        response
    }

    async fn reports(&self, request: Request<Incoming>) -> Answer {
        if let Some(refused) = self.refuse(&request) {
            return refused;
        }
        let batch: ReportBatch = serde_json::from_slice(&body(request).await).expect("reports");
        let outcomes: Vec<ReportOutcome> = batch
            .reports
            .iter()
            .map(|report| ReportOutcome {
                id: report.id,
                taken: report.report().is_ok(),
                why: None,
            })
            .collect();
        let is_lost = self.change(|known| {
            known.delivered.extend(batch.reports);
            let is_lost = known.lose_outcomes > 0;
            known.lose_outcomes = known.lose_outcomes.saturating_sub(1);
            is_lost
        });
        if is_lost {
            return text(StatusCode::BAD_GATEWAY, "the answer got lost");
        }
        json(&outcomes)
    }

    fn under_test(&self, request: &Request<Incoming>) -> Answer {
        let known = self.known();
        let asked = request.headers().get("x-poolshift-server");
        assert!(asked.is_some(), "a tester names the server it means");
        let mut response = text(StatusCode::OK, &known.under_test.1);
        let name = known.under_test.0.parse().expect("a header value");
        response.headers_mut().insert("x-answered-by", name);
        response
    }

    /// An artifact by its name, or any file of this machine below `/say`.
    async fn file(&self, path: &str) -> Answer {
        if let Some(file) = path.strip_prefix("/say") {
            return match std::fs::read_to_string(file) {
                Ok(content) => text(StatusCode::OK, &content),
                Err(_) => text(StatusCode::SERVICE_UNAVAILABLE, "it does not run"),
            };
        }
        let mut changes = self.changed.subscribe();
        while self.known().hold_downloads {
            changes.changed().await.expect("the gateway lives");
        }
        match self.known().artifacts.get(path) {
            Some(bytes) => Response::new(Full::new(Bytes::from(bytes.clone()))),
            None => text(StatusCode::NOT_FOUND, "no such artifact"),
        }
    }
}

fn signed_by(key: &VerifyingKey, text: &str, signature: &str) -> bool {
    let signature = BASE64.decode(signature).expect("base64");
    let signature = Signature::from_slice(&signature).expect("64 bytes");
    key.verify(text.as_bytes(), &signature).is_ok()
}

async fn body(request: Request<Incoming>) -> Bytes {
    request
        .into_body()
        .collect()
        .await
        .expect("a body")
        .to_bytes()
}

fn text(status: StatusCode, text: &str) -> Answer {
    let mut response = Response::new(Full::new(Bytes::from(text.to_owned())));
    *response.status_mut() = status;
    response
}

fn json(value: &impl serde::Serialize) -> Answer {
    let bytes = serde_json::to_vec(value).expect("JSON");
    Response::new(Full::new(Bytes::from(bytes)))
}
