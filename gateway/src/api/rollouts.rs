//! `/api/v1/rollouts`: what runs, and starting one by hand.

use actix_web::http::StatusCode;
use actix_web::http::header::LOCATION;
use actix_web::web::{Data, Path, Payload, Query};
use actix_web::{HttpRequest, HttpResponse};
use events::{
    Change, Digest, RequestRollout, RequestedArtifact, RequestedTests, RolloutId, Target, Trust,
    Version,
};
use serde::{Deserialize, Serialize};

use crate::accept::accept;
use crate::api::{key, known_target};
use crate::app::App;
use crate::body::{self, BYTES_MAX};
use crate::polling::{Poll, answer, while_open};
use crate::problem::Problem;
use crate::webhook::{TestsSaid, check_url};

/// Through which door: part of a rollout's id.
const SENDER: &str = "cli";

/// How many rollouts are listed when nobody says.
const LIMIT_DEFAULT: usize = 100;

#[derive(Debug, Deserialize)]
pub(super) struct Wanted {
    /// Of this target only.
    target: Option<String>,
    /// At most so many, the newest first.
    limit: Option<usize>,
}

#[derive(Debug, Deserialize)]
struct Start {
    target: Target,
    version: Version,
    #[serde(deserialize_with = "crate::webhook::digest")]
    sha256: Digest,
    url: Option<String>,
    tests: Option<TestsSaid>,
    ticket: Option<String>,
    reason: Option<String>,
    person: Option<String>,
}

#[derive(Debug, Serialize)]
struct Started {
    rollout: RolloutId,
    target: Target,
    url: String,
    status_url: String,
}

pub(super) async fn list(app: Data<App>, wanted: Query<Wanted>) -> Result<HttpResponse, Problem> {
    app.ready()?;
    let target = match wanted.target.as_deref().map(|text| text.split_once('/')) {
        None => None,
        Some(Some((environment, service))) => Some(known_target(&app, environment, service)?),
        Some(None) => {
            return Err(Problem::wrong_field(
                "target",
                "not a target",
                "write environment/service, such as production/checkout",
            ));
        }
    };
    let all = app.view.rollouts(target.as_ref());
    let limit = wanted.limit.unwrap_or(LIMIT_DEFAULT);
    let newest = all.iter().take(limit);
    let documents: Vec<_> = newest.map(|kept| kept.document.as_ref()).collect();
    Ok(HttpResponse::Ok().json(documents))
}

pub(crate) async fn get(
    app: Data<App>,
    request: HttpRequest,
    path: Path<String>,
) -> Result<HttpResponse, Problem> {
    let id = known_rollout(&app, &path)?;
    let poll = Poll::of(&request, 0);
    let changed = app
        .view
        .rollout_changed(id, poll.known.as_deref(), poll.wait);
    let kept = while_open(&app, changed).await.flatten();
    match kept.or_else(|| app.view.rollout(id)) {
        Some(kept) => Ok(answer(&poll, &kept)),
        None => Err(Problem::not_ready("the events")),
    }
}

/// A rollout that was accepted. While this instance cannot tell, it says so, and never 404.
pub(super) fn known_rollout(app: &App, text: &str) -> Result<RolloutId, Problem> {
    let id: RolloutId = text
        .parse()
        .map_err(|error: events::ParseIdError| unknown(&error.to_string()))?;
    if app.view.rollout(id).is_none() {
        app.ready()?;
        return Err(unknown(&format!("no rollout has the id {id}")));
    }
    Ok(id)
}

fn unknown(detail: &str) -> Problem {
    Problem::not_found("unknown-rollout", detail)
        .mend("take the id that `start` or the trigger was answered")
}

pub(super) async fn start(
    app: Data<App>,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, Problem> {
    let asked: Start = body::json(payload, BYTES_MAX).await?;
    let Some(key) = key(&request).filter(|key| !key.is_empty()) else {
        return Err(Problem::new(
            StatusCode::BAD_REQUEST,
            "no-key",
            "the key is missing",
            "a rollout is started under a key, so that a repeated request is not a second rollout",
        )
        .field("idempotency-key")
        .mend("send a fresh Idempotency-Key for each new rollout"));
    };
    if let Some(url) = &asked.url {
        check_url("url", url)?;
    }
    if let Some(tests) = &asked.tests {
        check_url("tests.url", &tests.url)?;
    }
    app.ready()?;
    let (environment, service) = (asked.target.environment(), asked.target.service());
    let target = known_target(&app, environment, service)?;
    let actor = app.actor(asked.person.as_deref())?;
    let rollout = RolloutId::of(&target, SENDER, key);
    let change = Change {
        ticket: asked.ticket,
        reason: asked.reason,
    };
    let request = RequestRollout {
        rollout,
        key: key.to_owned(),
        sender: SENDER.to_owned(),
        version: asked.version,
        artifact: RequestedArtifact {
            url: asked.url,
            sha256: asked.sha256,
        },
        tests: asked.tests.map(|tests| {
            Box::new(RequestedTests {
                url: tests.url,
                sha256: tests.sha256,
            })
        }),
        requested_by: actor.clone(),
        // Whoever reaches loopback is believed, as for votes.
        proven: asked.person.is_some(),
        claims: Vec::new(),
        build: None,
        commit: None,
        change: (change.ticket.is_some() || change.reason.is_some()).then_some(change),
        trust: Trust::Full,
    };
    accept(&app, &target, request, actor).await?;
    let url = format!("{}/api/v1/rollouts/{rollout}", app.url);
    Ok(HttpResponse::Accepted()
        .insert_header((LOCATION, url.clone()))
        .json(Started {
            rollout,
            target,
            url: url.clone(),
            status_url: url,
        }))
}
