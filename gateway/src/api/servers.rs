//! `POST /api/v1/targets/{environment}/{service}/servers/{server}/release|adopt|exclude`.

use actix_web::http::StatusCode;
use actix_web::web::{Data, Path, Payload};
use actix_web::{HttpRequest, HttpResponse};
use events::{
    Adopt, Digest, ExcludeServer, Release, ReleaseServer, Report, RolloutId, ServerName, Subject,
    Target, Version,
};
use serde::Deserialize;

use crate::api::{key, known_target, written};
use crate::app::{App, report_id};
use crate::body::{self, BYTES_MAX};
use crate::problem::Problem;
use crate::webhook::check_text;

#[derive(Debug, Deserialize)]
struct Let {
    reason: String,
    /// The rollout that set the server aside; none: the one that the view says did.
    since: Option<RolloutId>,
    person: Option<String>,
}

#[derive(Debug, Deserialize)]
struct LeaveOut {
    reason: String,
    /// The rollout it is taken out of; none: the one that runs, as the view says.
    rollout: Option<RolloutId>,
    person: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Runs {
    version: Version,
    #[serde(deserialize_with = "crate::webhook::digest")]
    sha256: Digest,
    person: Option<String>,
}

type Where = Path<(String, String, String)>;

pub(super) async fn release(
    app: Data<App>,
    request: HttpRequest,
    path: Where,
    payload: Payload,
) -> Result<HttpResponse, Problem> {
    let asked: Let = body::json(payload, BYTES_MAX).await?;
    check_text("reason", &asked.reason)?;
    let (target, server) = known_server(&app, path)?;
    let since = match asked.since {
        Some(since) => since,
        None => set_aside_by(&app, &target, &server)?,
    };
    let report = ReleaseServer {
        server,
        since,
        reason: asked.reason,
    };
    say(&app, &request, target, report.into(), asked.person).await
}

pub(super) async fn adopt(
    app: Data<App>,
    request: HttpRequest,
    path: Where,
    payload: Payload,
) -> Result<HttpResponse, Problem> {
    let asked: Runs = body::json(payload, BYTES_MAX).await?;
    let (target, server) = known_server(&app, path)?;
    let report = Adopt {
        server,
        release: Release {
            version: asked.version,
            sha256: asked.sha256,
        },
    };
    say(&app, &request, target, report.into(), asked.person).await
}

pub(super) async fn exclude(
    app: Data<App>,
    request: HttpRequest,
    path: Where,
    payload: Payload,
) -> Result<HttpResponse, Problem> {
    let asked: LeaveOut = body::json(payload, BYTES_MAX).await?;
    check_text("reason", &asked.reason)?;
    let (target, server) = known_server(&app, path)?;
    let running = || app.view.target(&target)?.document.rollout;
    let rollout = asked.rollout.or_else(running).ok_or_else(|| {
        Problem::new(
            StatusCode::CONFLICT,
            "no-rollout",
            "No rollout runs",
            format!("no rollout runs on {target}, so there is none to take {server} out of"),
        )
    })?;
    let report = ExcludeServer {
        rollout,
        server,
        reason: asked.reason,
    };
    say(&app, &request, target, report.into(), asked.person).await
}

fn set_aside_by(app: &App, target: &Target, server: &ServerName) -> Result<RolloutId, Problem> {
    let document = app.view.target(target).map(|kept| kept.document);
    document
        .iter()
        .flat_map(|document| &document.servers)
        .filter(|known| known.name == *server)
        .find_map(|known| Some(known.out.as_ref()?.rollout))
        .ok_or_else(|| {
            Problem::new(
                StatusCode::CONFLICT,
                "not-set-aside",
                "The server is not set aside",
                format!("{server} is neither stuck nor left, so there is nothing to let go of"),
            )
        })
}

async fn say(
    app: &App,
    request: &HttpRequest,
    target: Target,
    report: Report,
    person: Option<String>,
) -> Result<HttpResponse, Problem> {
    let actor = app.actor(person.as_deref())?;
    let id = report_id(request.path(), key(request));
    app.submit(app.own(id, report, Subject::Target(target), actor))
        .await?;
    Ok(written(id))
}

fn known_server(app: &App, path: Where) -> Result<(Target, ServerName), Problem> {
    let (environment, service, name) = path.into_inner();
    let target = known_target(app, &environment, &service)?;
    let servers = app
        .view
        .target(&target)
        .map(|kept| kept.document.servers.clone())
        .unwrap_or_default();
    let found = servers
        .iter()
        .find(|server| server.name.as_str() == name)
        .map(|server| server.name.clone());
    found.map(|server| (target.clone(), server)).ok_or_else(|| {
        Problem::not_found("unknown-server", format!("{target} has no server `{name}`"))
            .known(servers.iter().map(|server| server.name.to_string()))
    })
}
