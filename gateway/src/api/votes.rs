//! `POST /api/v1/rollouts/{id}/votes`.

use actix_web::web::{Data, Path, Payload};
use actix_web::{HttpRequest, HttpResponse};
use events::{Actor, ActorKind, CastVote, Digest, RolloutRef, Subject, Via};
use serde::Deserialize;

use crate::api::rollouts::known_rollout;
use crate::api::{key, written};
use crate::app::{App, report_id};
use crate::body::{self, BYTES_MAX};
use crate::problem::Problem;

#[derive(Debug, Deserialize)]
struct Vote {
    person: String,
    digest: Digest,
    gate: String,
    reason: Option<String>,
    ticket: Option<String>,
}

/// Reports a vote, with the roles that the people file gives. Whether it counts is decided where
/// the plan is.
pub(super) async fn cast(
    app: Data<App>,
    request: HttpRequest,
    path: Path<String>,
    payload: Payload,
) -> Result<HttpResponse, Problem> {
    let vote: Vote = body::json(payload, BYTES_MAX).await?;
    let person = app.person("person", &vote.person)?;
    let rollout = known_rollout(&app, &path)?;
    let kept = app
        .view
        .rollout(rollout)
        .ok_or_else(|| Problem::not_ready("the events"))?;
    let document = kept.document;
    // The brain judges this again; said here, so that a typing error is answered at once.
    let voted_on = || document.gates.iter().filter(|gate| gate.count > 0);
    if !document.gates.is_empty() && voted_on().all(|gate| gate.id != vote.gate) {
        let known = voted_on().map(|gate| gate.id.clone());
        return Err(Problem::wrong_field(
            "gate",
            "the plan has no such gate",
            "name one that it has",
        )
        .known(known));
    }
    let report = report_id(
        &format!("{rollout}/{}/{}", vote.gate, person.id),
        key(&request),
    );
    let cast = CastVote {
        rollout,
        gate: vote.gate,
        digest: vote.digest,
        person: person.id.clone(),
        roles: person.roles.clone(),
        policy_sha256: app.people.sha256,
        via: Via {
            kind: "cli".to_owned(),
            reference: None,
        },
        reason: vote.reason,
        ticket: vote.ticket,
    };
    let actor = Actor {
        kind: ActorKind::Person,
        id: person.id.to_string(),
    };
    let subject = Subject::Target(document.target.clone());
    let mut submission = app.own(report, cast.into(), subject, actor);
    submission.rollout = Some(RolloutRef::Rollout(rollout));
    app.submit(submission).await?;
    Ok(written(report))
}
