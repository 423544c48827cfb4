//! Poolshift's API, as a program on the same machine uses it.

use crate::http::{Connection, Response};
use anyhow::{Context, Result, bail, ensure};
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::time::{Instant, sleep, timeout};

/// How long an answer may take, beyond what a poll waits.
const ANSWER: Duration = Duration::from_secs(15);

/// No event tells that a process listens.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// Where a `poolshift serve` listens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Api {
    /// For people and programs of this machine.
    pub local: SocketAddr,
    /// For agents and webhooks.
    pub public: SocketAddr,
}

impl Api {
    /// Waits until it is ready: all that it knows has been read.
    ///
    /// # Errors
    /// When it is not within `deadline`; says what it answered last.
    pub async fn ready(&self, deadline: Duration) -> Result<()> {
        let until = Instant::now() + deadline;
        loop {
            let why = match self.ask(self.local, "GET", "/readyz", &[], "").await {
                Ok(response) if response.status == 200 => return Ok(()),
                Ok(response) => words(&response),
                Err(error) => format!("{error:#}"),
            };
            ensure!(Instant::now() < until, "poolshift is not ready: {why}");
            sleep(LOOK_EVERY).await;
        }
    }

    /// Reads a document.
    ///
    /// # Errors
    /// When there is none, or it is another one than expected.
    pub async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T> {
        let path = format!("/api/v1{path}");
        let response = self.ask(self.local, "GET", &path, &[], "").await?;
        read(&path, &response)
    }

    /// Reads a document as soon as it is not the `known` one, with the name of its content; `None`
    /// if it still is after `wait`.
    ///
    /// # Errors
    /// As [`Self::get`].
    pub async fn poll<T: DeserializeOwned>(
        &self,
        path: &str,
        known: Option<&str>,
        wait: Duration,
    ) -> Result<Option<(T, String)>> {
        let path = format!("/api/v1{path}");
        let mut headers = vec![("prefer", format!("wait={}", wait.as_secs()))];
        headers.extend(known.map(|known| ("if-none-match", known.to_owned())));
        let asked = self.ask(self.local, "GET", &path, &headers, "");
        let response = timeout(wait + ANSWER, asked)
            .await
            .with_context(|| format!("{path} takes too long"))??;
        if response.status == 304 {
            return Ok(None);
        }
        let etag = response.header("etag").unwrap_or_default().to_owned();
        Ok(Some((read(&path, &response)?, etag)))
    }

    /// Writes something.
    ///
    /// # Errors
    /// When it is refused.
    pub async fn post(&self, path: &str, body: &Value) -> Result<Value> {
        let path = format!("/api/v1{path}");
        let headers = [("content-type", "application/json".to_owned())];
        let body = body.to_string();
        let asked = self.ask(self.local, "POST", &path, &headers, &body);
        let response = timeout(ANSWER, asked)
            .await
            .with_context(|| format!("{path} takes too long"))??;
        read(&path, &response)
    }

    /// Sends a webhook with these headers.
    ///
    /// # Errors
    /// When it is not accepted.
    pub async fn webhook<T: DeserializeOwned>(
        &self,
        path: &str,
        headers: &[(&str, String)],
        body: &str,
    ) -> Result<T> {
        let asked = self.ask(self.public, "POST", path, headers, body);
        let response = timeout(ANSWER, asked)
            .await
            .with_context(|| format!("{path} takes too long"))??;
        ensure!(response.status == 202, "{path}: {}", words(&response));
        read(path, &response)
    }

    /// Sends one request to one of the doors, whatever is answered.
    ///
    /// # Errors
    /// When there is no whole answer.
    pub async fn ask(
        &self,
        door: SocketAddr,
        method: &str,
        path: &str,
        headers: &[(&str, String)],
        body: &str,
    ) -> Result<Response> {
        let mut head = format!("{method} {path} HTTP/1.1\r\nhost: {door}\r\n");
        for (name, value) in headers {
            // Writing into a string cannot fail.
            write!(head, "{name}: {value}\r\n").unwrap_or_default();
        }
        let request = format!("{head}content-length: {}\r\n\r\n{body}", body.len());
        let mut connection = Connection::open(door).await?;
        Ok(connection.exchange(request.as_bytes()).await?)
    }
}

fn read<T: DeserializeOwned>(path: &str, response: &Response) -> Result<T> {
    if !(200..300).contains(&response.status) {
        bail!("{path}: {}", words(response));
    }
    serde_json::from_slice(&response.body)
        .with_context(|| format!("{path} answers something else: {}", words(response)))
}

fn words(response: &Response) -> String {
    let body = String::from_utf8_lossy(&response.body);
    format!("status {}: {body}", response.status)
}
