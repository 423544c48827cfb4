//! The counter at which one request is served.

use anyhow::{Context, Result};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::{Body, Bytes};
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::{Method, Request, Response, StatusCode};
use poolshift_tests::clock::now_ms;
use poolshift_tests::shop::{
    Answer, Behaviour, NUMBER_HEADER, Order, Release, SLOW_HEADER, SLOW_MS, Settings,
    VERSION_HEADER, digest,
};
use std::fs::File;
use std::io::Write;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::time::{Instant, sleep};

const MOST_BODY_BYTES: usize = 64 * 1024;

/// So many customers of a process are served well in any case.
const UNHARMED: u64 = 100;

/// What one process of the shop knows of itself.
#[derive(Debug)]
pub(crate) struct Counter {
    settings: Settings,
    release: Release,
    started_at_ms: u64,
    ready_at: Option<Instant>,
    access_log: Option<File>,
    customers: AtomicU64,
}

/// What one request comes to, before it is written down.
struct Verdict {
    status: StatusCode,
    answer: Answer,
}

impl Counter {
    /// Opens the counter; it refuses customers until the release is ready.
    pub(crate) fn open(settings: Settings, release: Release) -> Result<Self> {
        let access_log = settings
            .access_log
            .as_ref()
            .map(|path| File::options().create(true).append(true).open(path))
            .transpose()
            .context("cannot open the access log")?;
        let ready_at = match release.behaviour {
            Behaviour::Good | Behaviour::Bad => {
                Some(Instant::now() + Duration::from_millis(release.ready_after_ms))
            }
            Behaviour::NeverReady => None,
        };
        Ok(Self {
            settings,
            release,
            started_at_ms: now_ms(),
            ready_at,
            access_log,
            customers: AtomicU64::new(0),
        })
    }

    /// Serves one request. An error ends the connection: the request did not arrive whole.
    pub(crate) async fn serve<B>(&self, request: Request<B>) -> Result<Response<Full<Bytes>>>
    where
        B: Body,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let taken_at_ms = now_ms();
        let (head, body) = request.into_parts();
        let body = Limited::new(body, MOST_BODY_BYTES)
            .collect()
            .await
            .map_err(|error| anyhow::anyhow!(error))?
            .to_bytes();
        if head.headers.contains_key(SLOW_HEADER) || head.uri.query() == Some("slow") {
            sleep(Duration::from_millis(SLOW_MS)).await;
        }
        if head.uri.path() == "/" {
            sleep(Duration::from_millis(self.release.front_page_ms)).await;
        }
        let verdict = self.judge(&head.method, head.uri.path(), &body, taken_at_ms);
        let number = head
            .headers
            .get(NUMBER_HEADER)
            .and_then(|value| value.to_str().ok());
        self.note(&head.method, head.uri.path(), number, &verdict)?;
        self.write(&verdict)
    }

    fn judge(&self, method: &Method, path: &str, body: &[u8], taken_at_ms: u64) -> Verdict {
        let mut verdict = Verdict {
            status: StatusCode::OK,
            answer: self.answer(taken_at_ms),
        };
        if self
            .ready_at
            .is_none_or(|ready_at| Instant::now() < ready_at)
        {
            verdict.refuse(StatusCode::SERVICE_UNAVAILABLE, "not ready yet: come again");
            return verdict;
        }
        let is_customer = matches!(path, "/" | "/order");
        if is_customer && self.fails_now() {
            verdict.refuse(StatusCode::INTERNAL_SERVER_ERROR, "this release does so");
            return verdict;
        }
        match (method.as_str(), path) {
            ("GET", "/" | "/version" | "/health") => {}
            ("POST", "/order") => match serde_json::from_slice::<Order>(body) {
                Ok(order) => {
                    verdict.answer.total_cents = Some(self.total_cents(&order));
                    verdict.answer.body_sha256 = Some(digest(body));
                }
                Err(error) => {
                    verdict.refuse(StatusCode::BAD_REQUEST, &format!("not an order: {error}"));
                }
            },
            _ => verdict.refuse(
                StatusCode::NOT_FOUND,
                "ask GET /, GET /version, GET /health or POST /order",
            ),
        }
        verdict
    }

    /// Whether this customer is one of the so many in a thousand.
    fn fails_now(&self) -> bool {
        let number = self.customers.fetch_add(1, Ordering::Relaxed);
        let due = |number: u64| number * self.release.fails_of_1000 / 1_000;
        number >= UNHARMED && due(number + 1) > due(number)
    }

    fn total_cents(&self, order: &Order) -> u64 {
        match self.release.behaviour {
            Behaviour::Good | Behaviour::NeverReady => order.total_cents(),
            Behaviour::Bad => order.lines.iter().map(|line| line.price_cents).sum(),
        }
    }

    fn answer(&self, taken_at_ms: u64) -> Answer {
        Answer {
            server: self.settings.name.clone(),
            version: self.release.version.clone(),
            pid: std::process::id(),
            started_at_ms: self.started_at_ms,
            taken_at_ms,
            total_cents: None,
            body_sha256: None,
            refused: None,
        }
    }

    fn note(
        &self,
        method: &Method,
        path: &str,
        number: Option<&str>,
        verdict: &Verdict,
    ) -> Result<()> {
        let Some(mut log) = self.access_log.as_ref() else {
            return Ok(());
        };
        let line = format!(
            "{} {} {} {method} {path} {} {}\n",
            verdict.answer.taken_at_ms,
            verdict.answer.server,
            verdict.answer.version,
            verdict.status.as_u16(),
            number.unwrap_or("-"),
        );
        // One write a line, so that lines of two processes never mix.
        log.write_all(line.as_bytes())
            .context("cannot write the access log")
    }

    fn write(&self, verdict: &Verdict) -> Result<Response<Full<Bytes>>> {
        let body = serde_json::to_vec(&verdict.answer).context("cannot write the answer")?;
        let version = HeaderValue::from_str(&self.release.version)
            .context("the version cannot stand in a header")?;
        Response::builder()
            .status(verdict.status)
            .header(CONTENT_TYPE, "application/json")
            .header(VERSION_HEADER, version)
            .body(Full::new(Bytes::from(body)))
            .context("cannot make the answer")
    }
}

impl Verdict {
    fn refuse(&mut self, status: StatusCode, why: &str) {
        self.status = status;
        self.answer.refused = Some(why.to_owned());
    }
}
