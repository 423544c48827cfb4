//! Asking a host for an artifact. Redirects are followed here and not by the client: each host on
//! the way is judged, and a login never leaves the host that it is for.

use events::{Artifact, FailedBecause, Failure};
use reqwest::header::LOCATION;
use reqwest::{Response, Url};

use super::Tools;
use crate::clients::{SILENCE_MAX, describe};
use crate::hosts::shown;

/// How many redirects are followed.
const REDIRECTS_MAX: u32 = 5;

/// The answer of the host that has the artifact.
pub(super) async fn ask(tools: &Tools, artifact: &Artifact) -> Result<Response, Failure> {
    let first = Url::parse(&artifact.url)
        .map_err(|error| unreachable(&format!("the artifact's address is none: {error}")))?;
    let mut url = first.clone();
    for _ in 0..=REDIRECTS_MAX {
        tools.hosts.allow(&url).map_err(|why| unreachable(&why))?;
        let response = send(tools, &url, url.origin() == first.origin()).await?;
        if !response.status().is_redirection() {
            return good(response, &url);
        }
        url = next(&response, &url)?;
    }
    Err(unreachable(&format!(
        "{} redirects more than {REDIRECTS_MAX} times",
        shown(&first)
    )))
}

/// `is_first`: on the host, port and scheme that the command named. A host that another one
/// pointed at gets no login, not even its own: the one that points there chose the path.
async fn send(tools: &Tools, url: &Url, is_first: bool) -> Result<Response, Failure> {
    let mut request = tools.clients.artifacts.get(url.clone());
    if is_first
        && let Some((name, value)) = tools.hosts.login(url).map_err(|why| unreachable(&why))?
    {
        request = request.header(name, value);
    }
    let host = shown(url);
    tokio::time::timeout(SILENCE_MAX, request.send())
        .await
        .map_err(|_| unreachable(&format!("{host} is silent")))?
        .map_err(|error| unreachable(&format!("{host}: {}", describe(error))))
}

fn good(response: Response, url: &Url) -> Result<Response, Failure> {
    let status = response.status();
    if status.is_success() {
        return Ok(response);
    }
    let hint = if matches!(status.as_u16(), 401 | 403) {
        "; see `hosts` in this agent's settings for its login there"
    } else {
        ""
    };
    Err(unreachable(&format!(
        "{} answered {status}{hint}",
        shown(url)
    )))
}

fn next(response: &Response, url: &Url) -> Result<Url, Failure> {
    let to = response.headers().get(LOCATION);
    let to = to.and_then(|to| url.join(to.to_str().ok()?).ok());
    to.ok_or_else(|| {
        unreachable(&format!(
            "{} answered {} without saying where to",
            shown(url),
            response.status()
        ))
    })
}

fn unreachable(what: &str) -> Failure {
    Failure::new(FailedBecause::Unreachable, what)
}
