//! `POST /api/v1/rollouts/{id}/pause|resume|abort|retry`.

use actix_web::web::{Data, Path, Payload};
use actix_web::{HttpRequest, HttpResponse};
use events::{RolloutRef, Steer, Subject, Wish};
use serde::Deserialize;

use crate::api::rollouts::known_rollout;
use crate::api::{key, written};
use crate::app::{App, report_id};
use crate::body::{self, BYTES_MAX};
use crate::problem::Problem;
use crate::webhook::check_text;

/// What can be said of a rollout.
const KNOWN: [&str; 7] = [
    "pause",
    "resume",
    "abort",
    "retry",
    "supersede",
    "overrides",
    "votes",
];

#[derive(Debug, Deserialize)]
struct Why {
    reason: String,
    person: Option<String>,
}

pub(super) async fn steer(
    app: Data<App>,
    request: HttpRequest,
    path: Path<(String, String)>,
    payload: Payload,
) -> Result<HttpResponse, Problem> {
    let (id, wish) = path.into_inner();
    let wish = match Wish::from(wish.as_str()) {
        Wish::Other(word) => {
            return Err(
                Problem::not_found("no-such-path", format!("nothing is called `{word}`"))
                    .known(KNOWN.map(str::to_owned)),
            );
        }
        known @ (Wish::Pause | Wish::Resume | Wish::Abort | Wish::Retry) => known,
    };
    let why: Why = body::json(payload, BYTES_MAX).await?;
    check_text("reason", &why.reason)?;
    let rollout = known_rollout(&app, &id)?;
    let target = app
        .view
        .rollout(rollout)
        .map(|kept| kept.document.target.clone())
        .ok_or_else(|| Problem::not_ready("the events"))?;
    let actor = app.actor(why.person.as_deref())?;
    let report = report_id(&format!("{rollout}/{wish}"), key(&request));
    let steer = Steer {
        rollout,
        wish,
        reason: why.reason,
    };
    let mut submission = app.own(report, steer.into(), Subject::Target(target), actor);
    submission.rollout = Some(RolloutRef::Rollout(rollout));
    app.submit(submission).await?;
    Ok(written(report))
}
