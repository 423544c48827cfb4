//! Speaks HTTP to a `poolshift serve`.

use std::error::Error as _;
use std::time::Duration;

use reqwest::header::{ETAG, IF_NONE_MATCH};
use reqwest::{RequestBuilder, Response, StatusCode};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tokio::time::{Instant, sleep};

use crate::exit;
use crate::failure::Failure;

const CONNECT_WITHIN: Duration = Duration::from_secs(5);

/// The longest one answer may take beyond what a poll waits.
const ANSWER_WITHIN: Duration = Duration::from_secs(30);

/// How long a server that has just started is given to read its log.
const READY_WITHIN: Duration = Duration::from_secs(30);
const RETRY: Duration = Duration::from_millis(250);

/// What programs compare to know that a server is still starting.
const NOT_READY: &str = "urn:poolshift:problem:not-ready";

/// One server.
#[derive(Debug, Clone)]
pub(crate) struct Client {
    http: reqwest::Client,
    base: String,
}

/// A document, and its content's name for the next poll.
#[derive(Debug, Clone)]
pub(crate) struct Polled<T> {
    pub(crate) document: T,
    pub(crate) etag: Option<String>,
}

/// An error as the server tells it (RFC 9457).
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Problem {
    #[serde(rename = "type")]
    kind: String,
    title: String,
    detail: String,
    field: Option<String>,
    mend: Option<String>,
    known: Vec<String>,
}

impl Client {
    /// Speaks to the server at `base`, never through a proxy: it is this machine, or a tunnel.
    pub(crate) fn new(base: &str) -> anyhow::Result<Self> {
        let provider = rustls::crypto::ring::default_provider();
        // An error means that this process has one already.
        drop(provider.install_default());
        let http = reqwest::Client::builder()
            .user_agent(concat!("poolshift/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(CONNECT_WITHIN)
            .no_proxy()
            .build()?;
        Ok(Self {
            http,
            base: base.trim_end_matches('/').to_owned(),
        })
    }

    /// Reads a document.
    pub(crate) async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, Failure> {
        let answer = self
            .ask(path, |client, url| client.get(url).timeout(ANSWER_WITHIN))
            .await?;
        read(path, answer).await
    }

    /// Reads a document as soon as it is not the `known` one; `None`: it still is after `wait_s`
    /// seconds.
    pub(crate) async fn poll<T: DeserializeOwned>(
        &self,
        path: &str,
        known: Option<&str>,
        wait_s: u64,
    ) -> Result<Option<Polled<T>>, Failure> {
        let request = |client: &reqwest::Client, url: String| {
            let request = client
                .get(url)
                .header("prefer", format!("wait={wait_s}"))
                .timeout(ANSWER_WITHIN + Duration::from_secs(wait_s));
            match known {
                Some(known) => request.header(IF_NONE_MATCH, known),
                None => request,
            }
        };
        let answer = self.ask(path, request).await?;
        if answer.status() == StatusCode::NOT_MODIFIED {
            return Ok(None);
        }
        let tag = answer.headers().get(ETAG);
        let etag = tag.and_then(|tag| tag.to_str().ok()).map(str::to_owned);
        let document = read(path, answer).await?;
        Ok(Some(Polled { document, etag }))
    }

    /// Reads what is too large for memory, piece by piece.
    pub(crate) async fn stream(
        &self,
        path: &str,
        mut piece: impl FnMut(&[u8]) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        let mut answer = self.ask(path, |client, url| client.get(url)).await?;
        loop {
            let next = tokio::time::timeout(ANSWER_WITHIN, answer.chunk()).await;
            let broken = |why: String| {
                Failure::new(exit::UNREACHABLE, format!("{path} broke off: {why}"))
                    .mend("ask again; the server's log says more")
            };
            match next {
                Ok(Ok(Some(bytes))) => piece(&bytes)?,
                Ok(Ok(None)) => return Ok(()),
                Ok(Err(error)) => return Err(broken(error.to_string()).into()),
                Err(_elapsed) => {
                    let seconds = ANSWER_WITHIN.as_secs();
                    return Err(broken(format!("nothing came for {seconds} s")).into());
                }
            }
        }
    }

    /// Writes. `key` makes a repeated request count once.
    pub(crate) async fn post<T: DeserializeOwned>(
        &self,
        path: &str,
        key: Option<&str>,
        body: &impl Serialize,
    ) -> Result<T, Failure> {
        let request = |client: &reqwest::Client, url: String| {
            let request = client.post(url).json(body).timeout(ANSWER_WITHIN);
            match key {
                Some(key) => request.header("idempotency-key", key),
                None => request,
            }
        };
        let answer = self.ask(path, request).await?;
        read(path, answer).await
    }

    /// Asks, and again while the server says that it is still starting: nothing was done then.
    async fn ask(
        &self,
        path: &str,
        request: impl Fn(&reqwest::Client, String) -> RequestBuilder,
    ) -> Result<Response, Failure> {
        let until = Instant::now() + READY_WITHIN;
        loop {
            let url = format!("{}/api/v1{path}", self.base);
            let sent = request(&self.http, url).send().await;
            let answer = sent.map_err(|error| self.unreachable(error))?;
            let status = answer.status();
            if status.is_success() || status == StatusCode::NOT_MODIFIED {
                return Ok(answer);
            }
            let problem: Problem = answer.json().await.unwrap_or_default();
            if problem.kind != NOT_READY || Instant::now() >= until {
                return Err(problem.failure(status, path, &self.base));
            }
            sleep(RETRY).await;
        }
    }

    fn unreachable(&self, error: reqwest::Error) -> Failure {
        let error = error.without_url();
        let mut why = error.source();
        let mut text = error.to_string();
        while let Some(inner) = why {
            text = inner.to_string();
            why = inner.source();
        }
        let what = format!("no answer from {}: {text}", self.base);
        Failure::new(exit::UNREACHABLE, what).mend(
            "start `poolshift serve` there, or say where it is: --server URL, or POOLSHIFT_SERVER",
        )
    }
}

impl Problem {
    fn failure(self, status: StatusCode, path: &str, base: &str) -> Failure {
        if self.kind.is_empty() {
            let what = format!("{base} answered {status} to {path}, and not as poolshift does");
            return Failure::new(exit::UNREACHABLE, what)
                .mend("name the API of a `poolshift serve`: --server URL, or POOLSHIFT_SERVER");
        }
        let code = if status == StatusCode::SERVICE_UNAVAILABLE {
            exit::UNREACHABLE
        } else {
            exit::REFUSED
        };
        let mut failure = Failure::new(code, format!("{}: {}", self.title, self.detail));
        if let Some(field) = self.field {
            failure = failure.place(format!("`{field}`"));
        }
        if let Some(mend) = self.mend {
            failure = failure.mend(mend);
        }
        if !self.known.is_empty() {
            failure = failure.note("known", self.known.join(", "));
        }
        failure
    }
}

async fn read<T: DeserializeOwned>(path: &str, answer: Response) -> Result<T, Failure> {
    let bytes = answer
        .bytes()
        .await
        .map_err(|error| Failure::new(exit::UNREACHABLE, format!("{path} broke off: {error}")))?;
    serde_json::from_slice(&bytes).map_err(|error| {
        Failure::new(
            exit::UNREACHABLE,
            format!("the answer of {path} cannot be read: {error}"),
        )
        .mend("use a poolshift of the same version as the server")
    })
}
