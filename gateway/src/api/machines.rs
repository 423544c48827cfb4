//! `/api/v1/machines`: letting agents in, and out.

use actix_web::web::{Data, Path, Payload};
use actix_web::{HttpRequest, HttpResponse};
use events::{MachineName, NameError, RevokeAgent, Subject, Timestamp};
use serde::{Deserialize, Serialize};

use crate::api::{key, written};
use crate::app::{App, report_id};
use crate::body::{self, BYTES_MAX};
use crate::problem::Problem;
use crate::webhook::check_text;

#[derive(Debug, Deserialize)]
struct Revoke {
    reason: String,
    person: Option<String>,
}

/// A machine, and when its agent was there last, in which version.
#[derive(Debug, Serialize)]
struct Machine {
    machine: MachineName,
    revoked: bool,
    stands_still: Option<String>,
    last_seen: Option<Timestamp>,
    agent_version: Option<String>,
}

pub(super) async fn list(app: Data<App>) -> Result<HttpResponse, Problem> {
    app.ready()?;
    let all = app.view.machines();
    let machines = all.iter().map(|kept| Machine {
        machine: kept.document.machine.clone(),
        revoked: kept.document.revoked,
        stands_still: kept.document.stands_still.clone(),
        last_seen: app.view.last_seen(&kept.document.machine),
        agent_version: app.view.agent_version(&kept.document.machine),
    });
    Ok(HttpResponse::Ok().json(machines.collect::<Vec<_>>()))
}

/// A one-time code. It is shown once, and only its digest is kept.
pub(super) async fn enrol(app: Data<App>, path: Path<String>) -> Result<HttpResponse, Problem> {
    let code = app.codes.make(&machine(&path)?, app.now())?;
    Ok(HttpResponse::Created().json(code))
}

pub(super) async fn revoke(
    app: Data<App>,
    request: HttpRequest,
    path: Path<String>,
    payload: Payload,
) -> Result<HttpResponse, Problem> {
    let asked: Revoke = body::json(payload, BYTES_MAX).await?;
    check_text("reason", &asked.reason)?;
    let machine = machine(&path)?;
    if app.view.machine(&machine).is_none() {
        app.ready()?;
        return Err(unknown(&app, &machine));
    }
    let actor = app.actor(asked.person.as_deref())?;
    let id = report_id(request.path(), key(&request));
    let report = RevokeAgent {
        machine: machine.clone(),
        reason: asked.reason,
    };
    app.submit(app.own(id, report.into(), Subject::Machine(machine), actor))
        .await?;
    Ok(written(id))
}

/// There is no agent of this machine.
pub(super) fn unknown(app: &App, machine: &MachineName) -> Problem {
    let known = app.view.machines();
    Problem::not_found("unknown-machine", format!("{machine} was never enrolled"))
        .known(known.iter().map(|kept| kept.document.machine.to_string()))
}

pub(super) fn machine(text: &str) -> Result<MachineName, Problem> {
    text.parse().map_err(|error: NameError| {
        Problem::not_found("unknown-machine", error.to_string()).mend("name a machine")
    })
}
