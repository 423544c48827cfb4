//! `POST /webhooks/jenkins`: what the HTTP Request step of a Jenkins pipeline sends.

use actix_web::http::StatusCode;
use actix_web::http::header::{AUTHORIZATION, LOCATION};
use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use events::{Actor, ActorKind, RequestRollout, RolloutId, Target, Trust};
use serde::Serialize;

use crate::accept::accept;
use crate::app::App;
use crate::body::{self, BYTES_MAX};
use crate::problem::Problem;
use crate::webhook::signature::{Signed, is_genuine};
use crate::webhook::trigger::{Trigger, check_text};

/// Through which door: part of a rollout's id.
const SENDER: &str = "jenkins";

/// What an accepted trigger is answered.
#[derive(Debug, Serialize)]
struct Accepted {
    rollout: RolloutId,
    target: Target,
    url: String,
    status_url: String,
}

pub(super) async fn deliver(
    app: Data<App>,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, Problem> {
    if app.secrets.is_empty() {
        return Err(closed());
    }
    let bytes = body::raw(payload, BYTES_MAX).await?;
    let key = proven_key(&app, &request, &bytes)?;
    let trigger: Trigger = body::parse(&bytes)?;
    trigger.check()?;
    app.ready()?;
    let target = trigger.target();
    if app.view.target(&target).is_none() {
        return Err(unknown(&app, &target));
    }
    let key = key.unwrap_or_else(|| trigger.key());
    check_text("the key", &key)?;
    let rollout = RolloutId::of(&target, SENDER, &key);
    let actor = Actor {
        kind: ActorKind::Job,
        id: trigger.build.job.clone(),
    };
    let asked = RequestRollout {
        rollout,
        key,
        sender: SENDER.to_owned(),
        version: trigger.version.clone(),
        artifact: trigger.artifact(),
        requested_by: actor.clone(),
        // The secret proves that a job of this build server asks, never which person stands
        // behind it: who that is, is a claim.
        proven: false,
        claims: trigger.claims(&app.people),
        commit: trigger.commit(),
        change: trigger.change(),
        build: Some(trigger.build),
        trust: Trust::Full,
    };
    accept(&app, &target, asked, actor).await?;
    tracing::info!(%target, %rollout, "trigger accepted");
    let url = format!("{}/api/v1/rollouts/{rollout}", app.url);
    Ok(HttpResponse::Accepted()
        .insert_header((LOCATION, url.clone()))
        .json(Accepted {
            rollout,
            target,
            url: url.clone(),
            status_url: url,
        }))
}

/// Proves the sender, and gives the key of the delivery if it names one. Of a signed delivery
/// only the signed `webhook-id` can be the key: another header could be changed by whoever replays
/// it.
fn proven_key(app: &App, request: &HttpRequest, bytes: &[u8]) -> Result<Option<String>, Problem> {
    let header = |name: &str| request.headers().get(name)?.to_str().ok();
    let id = header("webhook-id");
    if let (Some(id), Some(timestamp), Some(signatures)) =
        (id, header("webhook-timestamp"), header("webhook-signature"))
    {
        let signed = Signed {
            id,
            timestamp,
            signatures,
        };
        if is_genuine(&app.secrets.signing, signed, bytes, app.now()) {
            return Ok(Some(id.to_owned()));
        }
    } else if let Some(token) =
        header(AUTHORIZATION.as_str()).and_then(|value| value.strip_prefix("Bearer "))
        && app.secrets.has_token(token.trim())
    {
        return Ok(header("idempotency-key").or(id).map(str::to_owned));
    }
    Err(Problem::unauthorised(
        "neither a signature of the last five minutes nor a bearer token that counts here",
    ))
}

fn closed() -> Problem {
    Problem::new(
        StatusCode::FORBIDDEN,
        "closed-door",
        "no secret, no door",
        "webhooks are not taken here: no secret is configured",
    )
    .mend("set `webhook_secrets` of the gateway to file:PATH or env:NAME")
}

fn unknown(app: &App, target: &Target) -> Problem {
    let known = app.view.targets();
    Problem::not_found(
        "unknown-target",
        format!("`{target}` is not in the catalogue"),
    )
    .field("service")
    .mend("name a known target, or apply a catalogue entry for this one")
    .known(known.iter().map(|kept| kept.document.target.to_string()))
}
