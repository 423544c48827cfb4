//! `POST /api/v1/rollouts/{id}/supersede|overrides`: what people say of rollouts that wait.

use actix_web::web::{Data, Path, Payload};
use actix_web::{HttpRequest, HttpResponse};
use events::{Actor, ActorKind, Digest, OverrideGate, RolloutRef, Subject, SupersedeHalted, Via};
use serde::Deserialize;

use crate::api::rollouts::known_rollout;
use crate::api::{key, written};
use crate::app::{App, report_id};
use crate::body::{self, BYTES_MAX};
use crate::problem::Problem;
use crate::webhook::check_text;

/// Gates that a person may override; approvals are voted on.
const GATES: [&str; 3] = ["window", "freeze", "promotion"];

#[derive(Debug, Deserialize)]
struct TakeOver {
    /// The rollout that takes over.
    with: String,
    reason: String,
    person: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Override {
    person: String,
    digest: Digest,
    gate: String,
    reason: String,
    ticket: Option<String>,
}

/// A rollout that waits takes the servers of this halted one over.
pub(super) async fn supersede(
    app: Data<App>,
    request: HttpRequest,
    path: Path<String>,
    payload: Payload,
) -> Result<HttpResponse, Problem> {
    let asked: TakeOver = body::json(payload, BYTES_MAX).await?;
    check_text("reason", &asked.reason)?;
    let rollout = known_rollout(&app, &path)?;
    let successor = known_rollout(&app, &asked.with)?;
    let documents = (app.view.rollout(rollout), app.view.rollout(successor));
    let (Some(halted), Some(waits)) = documents else {
        return Err(Problem::not_ready("the events"));
    };
    let target = halted.document.target.clone();
    if waits.document.target != target {
        let detail = format!("that rollout is about {}", waits.document.target);
        let mend = format!("name one that waits on {target}");
        return Err(Problem::wrong_field("with", detail, &mend));
    }
    let actor = app.actor(asked.person.as_deref())?;
    let door = format!("{rollout}/supersede/{successor}");
    let report = report_id(&door, key(&request));
    let word = SupersedeHalted {
        rollout,
        successor,
        reason: asked.reason,
    };
    let mut submission = app.own(report, word.into(), Subject::Target(target), actor);
    submission.rollout = Some(RolloutRef::Rollout(rollout));
    app.submit(submission).await?;
    Ok(written(report))
}

/// Reports that a person wants a rollout to pass a gate, with the roles that the people file gives.
/// Whether they may is decided where the plan is.
pub(super) async fn override_gate(
    app: Data<App>,
    request: HttpRequest,
    path: Path<String>,
    payload: Payload,
) -> Result<HttpResponse, Problem> {
    let asked: Override = body::json(payload, BYTES_MAX).await?;
    check_text("reason", &asked.reason)?;
    if !GATES.contains(&asked.gate.as_str()) {
        let mend = "name one that a person may override; an approval is voted on";
        return Err(
            Problem::wrong_field("gate", "not such a gate", mend).known(GATES.map(str::to_owned))
        );
    }
    let person = app.person("person", &asked.person)?;
    let rollout = known_rollout(&app, &path)?;
    let kept = app
        .view
        .rollout(rollout)
        .ok_or_else(|| Problem::not_ready("the events"))?;
    let door = format!("{rollout}/override/{}/{}", asked.gate, person.id);
    let report = report_id(&door, key(&request));
    let word = OverrideGate {
        rollout,
        gate: asked.gate,
        digest: asked.digest,
        person: person.id.clone(),
        roles: person.roles.clone(),
        policy_sha256: app.people.sha256,
        via: Via {
            kind: "cli".to_owned(),
            reference: None,
        },
        reason: asked.reason,
        ticket: asked.ticket,
    };
    let actor = Actor {
        kind: ActorKind::Person,
        id: person.id.to_string(),
    };
    let subject = Subject::Target(kept.document.target.clone());
    let mut submission = app.own(report, word.into(), subject, actor);
    submission.rollout = Some(RolloutRef::Rollout(rollout));
    app.submit(submission).await?;
    Ok(written(report))
}
