//! The agent's side of the wire: enrolment, tokens, polls, reports.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use events::{Enrolled, Enrolment, Looked, PollTerms, ReportBatch, ReportOutcome};
use reqwest::header::{AUTHORIZATION, ETAG, HeaderValue, IF_NONE_MATCH};
use reqwest::{Client, RequestBuilder, Response, StatusCode};
use tokio::sync::Mutex;

use crate::clients::describe;
use crate::clock;
use crate::identity::Identity;

/// How long the gateway may take beyond the wait that was asked for.
const SLACK: Duration = Duration::from_secs(15);
/// The pause between attempts of a revoked agent.
pub(crate) const REVOKED_PAUSE: Duration = Duration::from_secs(60);

/// Why the gateway gave nothing.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// This machine's key counts no more.
    #[error("the gateway has revoked this machine; enrol it again if that is wrong")]
    Revoked,
    /// The body was refused: the same one will be refused again.
    #[error("the gateway refuses this: {0}")]
    Refused(String),
    /// Anything that may be better next time.
    #[error("{0}")]
    Unreachable(String),
}

/// What a poll brought.
pub(crate) enum Polled {
    /// Nothing new.
    Same,
    /// The records of all servers on this machine, as JSON, and their tag.
    Changed { body: Vec<u8>, etag: Option<String> },
}

/// The gateway, as one enrolled agent sees it.
pub(crate) struct Gateway {
    client: Client,
    base: String,
    identity: Mutex<Identity>,
    token: Mutex<Option<String>>,
    is_revoked: AtomicBool,
}

impl Gateway {
    pub(crate) fn new(client: Client, base: &str, identity: Identity) -> Self {
        Self {
            client,
            base: base.to_owned(),
            token: Mutex::new(identity.token()),
            identity: Mutex::new(identity),
            is_revoked: AtomicBool::new(false),
        }
    }

    /// Waits for records other than those of `etag`.
    pub(crate) async fn poll(&self, etag: Option<&str>) -> Result<Polled, Error> {
        let wait = PollTerms::WAIT_S_DEFAULT;
        let url = format!("{}/agents/v1/commands", self.base);
        let response = self
            .ask(|| {
                let mut request = self
                    .client
                    .get(&url)
                    .header("prefer", format!("wait={wait}"))
                    .timeout(Duration::from_secs(wait) + SLACK);
                if let Some(etag) = etag {
                    request = request.header(IF_NONE_MATCH, etag);
                }
                request
            })
            .await?;
        if response.status() == StatusCode::NOT_MODIFIED {
            return Ok(Polled::Same);
        }
        let etag = response.headers().get(ETAG);
        let etag = etag.and_then(|tag| tag.to_str().ok()).map(str::to_owned);
        let body = response.bytes().await.map_err(unreachable)?.to_vec();
        Ok(Polled::Changed { body, etag })
    }

    /// Hands reports in; what becomes of each.
    pub(crate) async fn report(&self, batch: &ReportBatch) -> Result<Vec<ReportOutcome>, Error> {
        let url = format!("{}/agents/v1/reports", self.base);
        let response = self
            .ask(|| self.client.post(&url).json(batch).timeout(SLACK))
            .await?;
        response.json().await.map_err(unreachable)
    }

    /// Says what was seen of this machine.
    pub(crate) async fn looked(&self, looked: &Looked) -> Result<(), Error> {
        let url = format!("{}/agents/v1/look", self.base);
        let sent = self.ask(|| self.client.post(&url).json(looked).timeout(SLACK));
        sent.await.map(drop)
    }

    /// Keeps the token that a poll brought.
    pub(crate) async fn renewed(&self, enrolled: &Enrolled) {
        *self.token.lock().await = Some(enrolled.token.clone());
        if let Err(error) = self.identity.lock().await.keep_token(enrolled) {
            // It still holds in this life; the next one renews by the key.
            tracing::warn!(
                error = format!("{error:#}"),
                "the new token is not on the disk"
            );
        }
    }

    /// Sends with the token; once more with a new one when it is refused.
    async fn ask(&self, request: impl Fn() -> RequestBuilder) -> Result<Response, Error> {
        let answered = self.ask_as_known(&request).await;
        match &answered {
            // Somebody may have enrolled this machine anew meanwhile.
            Err(Error::Revoked | Error::Unreachable(_)) => self.reload().await,
            Err(Error::Refused(_)) | Ok(_) => {}
        }
        answered
    }

    async fn ask_as_known(&self, request: &impl Fn() -> RequestBuilder) -> Result<Response, Error> {
        let mut response = self.ask_once(request).await?;
        if response.status() == StatusCode::UNAUTHORIZED {
            self.renew().await?;
            response = self.ask_once(request).await?;
        }
        self.judge(response).await
    }

    async fn reload(&self) {
        let mut identity = self.identity.lock().await;
        if let Ok(fresh) = identity.reload() {
            *self.token.lock().await = fresh.token();
            *identity = fresh;
        }
    }

    async fn ask_once(&self, request: &impl Fn() -> RequestBuilder) -> Result<Response, Error> {
        let mut request = request();
        if let Some(token) = self.token.lock().await.as_ref() {
            let mut value = HeaderValue::from_str(&format!("Bearer {token}"))
                .map_err(|_| Error::Unreachable("the token is no header value".to_owned()))?;
            value.set_sensitive(true);
            request = request.header(AUTHORIZATION, value);
        }
        request.send().await.map_err(unreachable)
    }

    async fn renew(&self) -> Result<(), Error> {
        let renewal = self.identity.lock().await.renewal(clock::wall());
        let url = format!("{}/agents/v1/token", self.base);
        let sent = self.client.post(&url).json(&renewal).timeout(SLACK).send();
        let response = self.judge(sent.await.map_err(unreachable)?).await?;
        let enrolled: Enrolled = response.json().await.map_err(unreachable)?;
        self.renewed(&enrolled).await;
        Ok(())
    }

    async fn judge(&self, response: Response) -> Result<Response, Error> {
        let status = response.status();
        self.note_revoked(status == StatusCode::FORBIDDEN);
        if status.is_success() || status == StatusCode::NOT_MODIFIED {
            return Ok(response);
        }
        if status == StatusCode::FORBIDDEN {
            return Err(Error::Revoked);
        }
        let is_final = matches!(status.as_u16(), 400 | 413 | 422);
        let body = response.text().await.unwrap_or_default();
        let said = format!("{status} {}", events::cut(&body, 300));
        Err(match is_final {
            true => Error::Refused(said),
            false => Error::Unreachable(said),
        })
    }

    /// Said once, and once more when it is over.
    fn note_revoked(&self, is_revoked: bool) {
        if self.is_revoked.swap(is_revoked, Ordering::Relaxed) != is_revoked {
            if is_revoked {
                tracing::error!(
                    "this machine is revoked: nothing is touched until it is enrolled again"
                );
            } else {
                tracing::info!("this machine is accepted again");
            }
        }
    }
}

/// Trades a one-time code for the first token.
pub(crate) async fn enrol(
    client: &Client,
    base: &str,
    enrolment: &Enrolment,
) -> anyhow::Result<Enrolled> {
    use anyhow::Context as _;
    let url = format!("{base}/agents/v1/enrol");
    let sent = client.post(&url).json(enrolment).timeout(SLACK).send();
    let response = sent.await.map_err(|error| anyhow::anyhow!(describe(error)));
    let response = response.with_context(|| format!("reach the gateway at {base}"))?;
    let status = response.status();
    if !status.is_success() {
        let body = response.text().await.unwrap_or_default();
        anyhow::bail!("the gateway answered {status}: {}", events::cut(&body, 500));
    }
    response.json().await.context("read the gateway's answer")
}

fn unreachable(error: reqwest::Error) -> Error {
    Error::Unreachable(describe(error))
}
