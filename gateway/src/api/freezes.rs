//! `POST /api/v1/targets/{environment}/{service}/freeze|unfreeze` and
//! `POST /api/v1/environments/{environment}/freeze|unfreeze`. A freeze belongs to a target: for an
//! environment, each of its targets gets one.

use actix_web::HttpRequest;
use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Payload};
use events::{LiftFreeze, Report, ReportId, SetFreeze, Subject, Target, Timestamp};
use serde::{Deserialize, Serialize};

use crate::api::{key, known_target};
use crate::app::{App, report_id};
use crate::body::{self, BYTES_MAX};
use crate::problem::Problem;
use crate::webhook::check_text;

#[derive(Debug, Deserialize)]
struct Freeze {
    /// From when on; none: at once.
    from: Option<Timestamp>,
    /// Until before when.
    until: Option<Timestamp>,
    /// Or how long, in milliseconds.
    for_ms: Option<u64>,
    reason: String,
    person: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Unfreeze {
    /// Which; none: all that the view shows.
    freeze: Option<ReportId>,
    reason: String,
    person: Option<String>,
}

/// What was said to each target.
#[derive(Debug, Serialize)]
struct Told {
    reports: Vec<One>,
}

#[derive(Debug, Serialize)]
struct One {
    target: Target,
    report: ReportId,
}

/// Of a target, or of each target of an environment: the path names it.
pub(super) async fn freeze(
    app: Data<App>,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, Problem> {
    let targets = targets(&app, &request)?;
    let asked: Freeze = body::json(payload, BYTES_MAX).await?;
    check_text("reason", &asked.reason)?;
    let now = app.now();
    let from = asked.from.unwrap_or(now);
    let until = match (asked.until, asked.for_ms) {
        (Some(until), None) => until,
        (None, Some(for_ms)) => from.plus_ms(for_ms),
        (Some(_), Some(_)) | (None, None) => {
            return Err(Problem::wrong_field(
                "until",
                "a freeze has one end",
                "give either `until`, a time, or `for_ms`, how long",
            ));
        }
    };
    if until <= from.max(now) {
        let detail = format!("it would be over at {until}, before it begins");
        return Err(Problem::wrong_field("until", detail, "give a later end"));
    }
    let word = SetFreeze {
        from: asked.from,
        until,
        reason: asked.reason,
    };
    let words = targets
        .into_iter()
        .map(|target| (target, word.clone().into()));
    say(&app, &request, words.collect(), asked.person.as_deref()).await
}

/// The other way round.
pub(super) async fn unfreeze(
    app: Data<App>,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, Problem> {
    let targets = targets(&app, &request)?;
    let asked: Unfreeze = body::json(payload, BYTES_MAX).await?;
    check_text("reason", &asked.reason)?;
    let word = |target: Target| {
        let shown = app.view.target(&target)?;
        let freezes = shown.document.freezes.iter().map(|freeze| freeze.freeze);
        let wanted = freezes.filter(|freeze| asked.freeze.is_none_or(|only| only == *freeze));
        let freezes: Vec<ReportId> = wanted.collect();
        let reason = asked.reason.clone();
        let lift = LiftFreeze { freezes, reason };
        (!lift.freezes.is_empty()).then(|| (target, Report::from(lift)))
    };
    let words: Vec<(Target, Report)> = targets.into_iter().filter_map(word).collect();
    if words.is_empty() {
        return Err(Problem::new(
            StatusCode::CONFLICT,
            "not-frozen",
            "nothing is frozen",
            "no such freeze counts or is to come",
        ));
    }
    say(&app, &request, words, asked.person.as_deref()).await
}

async fn say(
    app: &App,
    request: &HttpRequest,
    words: Vec<(Target, Report)>,
    person: Option<&str>,
) -> Result<HttpResponse, Problem> {
    let actor = app.actor(person)?;
    let mut reports = Vec::new();
    for (target, report) in words {
        let id = report_id(&format!("{}\n{target}", request.path()), key(request));
        let subject = Subject::Target(target.clone());
        app.submit(app.own(id, report, subject, actor.clone()))
            .await?;
        reports.push(One { target, report: id });
    }
    Ok(HttpResponse::Accepted().json(Told { reports }))
}

fn targets(app: &App, request: &HttpRequest) -> Result<Vec<Target>, Problem> {
    let named = |name| request.match_info().get(name).unwrap_or_default();
    match (named("environment"), named("service")) {
        (environment, "") => targets_of(app, environment),
        (environment, service) => Ok(vec![known_target(app, environment, service)?]),
    }
}

fn targets_of(app: &App, environment: &str) -> Result<Vec<Target>, Problem> {
    app.ready()?;
    let all = app.view.targets();
    let names = all.iter().map(|kept| kept.document.target.clone());
    let targets: Vec<Target> = names
        .filter(|target| target.environment() == environment)
        .collect();
    if targets.is_empty() {
        let known: std::collections::BTreeSet<String> = all
            .iter()
            .map(|kept| kept.document.environment.clone())
            .collect();
        let detail = format!("no target is in `{environment}`");
        return Err(Problem::not_found("unknown-environment", detail).known(known));
    }
    Ok(targets)
}
