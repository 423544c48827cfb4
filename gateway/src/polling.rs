//! Long polls: `GET` with `If-None-Match` and `Prefer: wait=30`.

use std::future::Future;
use std::time::Duration;

use actix_web::http::header::{ETAG, IF_NONE_MATCH};
use actix_web::{HttpRequest, HttpResponse};
use events::PollTerms;
use serde::Serialize;
use view::Kept;

use crate::app::App;

/// What a poll asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Poll {
    /// The `ETag` it has.
    pub(crate) known: Option<String>,
    /// How long it waits for another one.
    pub(crate) wait: Duration,
}

impl Poll {
    /// Of a request; `default_s` is how many seconds it waits when it does not say.
    pub(crate) fn of(request: &HttpRequest, default_s: u64) -> Self {
        let known = text(request, IF_NONE_MATCH.as_str())
            .map(|tag| tag.trim_start_matches("W/").trim_matches('"').to_owned());
        let preferred = text(request, "prefer").and_then(|prefer| {
            let wishes = prefer.split([',', ';']).map(str::trim);
            let mut waits = wishes.filter_map(|wish| wish.strip_prefix("wait="));
            waits.next().and_then(|wait| wait.parse::<u64>().ok())
        });
        let seconds = preferred.unwrap_or(default_s).min(PollTerms::WAIT_S_MAX);
        Self {
            known,
            wait: Duration::from_secs(seconds),
        }
    }
}

/// Waits for `work`, but not longer than this process lives.
pub(crate) async fn while_open<T>(app: &App, work: impl Future<Output = T>) -> Option<T> {
    // Also one whose client goes away is counted no more: its handler is dropped.
    let _open = app.metrics.open_poll();
    let mut ending = app.ending.clone();
    tokio::select! {
        done = work => Some(done),
        // An error means the same: whoever could say so is gone.
        _ = ending.wait_for(|ending| *ending) => None,
    }
}

/// A document with its `ETag`, or 304 when the poll has it.
pub(crate) fn answer<T: Serialize>(poll: &Poll, kept: &Kept<T>) -> HttpResponse {
    let tag = (ETAG, format!("\"{}\"", kept.etag));
    if poll.known.as_deref() == Some(kept.etag.as_str()) {
        return HttpResponse::NotModified().insert_header(tag).finish();
    }
    HttpResponse::Ok()
        .insert_header(tag)
        .json(kept.document.as_ref())
}

fn text<'a>(request: &'a HttpRequest, name: &str) -> Option<&'a str> {
    request.headers().get(name)?.to_str().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::test::TestRequest;

    #[test]
    fn a_poll_says_what_it_has_and_how_long_it_waits() {
        let request = TestRequest::default()
            .insert_header(("if-none-match", "W/\"abc\""))
            .insert_header(("prefer", "respond-async, wait=7"))
            .to_http_request();
        let poll = Poll::of(&request, 0);
        assert_eq!(poll.known.as_deref(), Some("abc"));
        assert_eq!(poll.wait, Duration::from_secs(7));
    }

    #[test]
    fn no_poll_waits_longer_than_allowed() {
        let request = TestRequest::default()
            .insert_header(("prefer", "wait=9999"))
            .to_http_request();
        assert_eq!(Poll::of(&request, 0).wait, Duration::from_secs(60));
        let silent = TestRequest::default().to_http_request();
        assert_eq!(Poll::of(&silent, 30).wait, Duration::from_secs(30));
    }
}
