//! `POST /agents/v1/enrol` and `/agents/v1/token`: how an agent comes to its token.

use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Payload};
use events::{Actor, ActorKind, EnrolAgent, Enrolled, Enrolment, MachineName, Subject, Timestamp};
use serde::Deserialize;
use tokio::time::{Instant, timeout_at};
use view::{Limit, Taken};

use crate::agents::out;
use crate::agents::signed::is_by;
use crate::app::{App, report_id};
use crate::body::{self, BYTES_MAX};
use crate::problem::Problem;

/// How long an enrolment waits for the orchestrator to take it.
const TAKEN_WITHIN: Duration = Duration::from_secs(10);

/// How far an agent's clock may be from ours when it asks for a token, in milliseconds.
const WINDOW_MS: u64 = 5 * 60 * 1000;

/// Failed attempts under one machine's name: nobody needs more, but whoever guesses. A good attempt
/// is never kept waiting by them.
const FAILURES: Limit = Limit {
    burst: 10,
    refill_ms: 10_000,
};

/// An agent asks for a new token with its key alone.
#[derive(Debug, Deserialize)]
struct Renewal {
    machine: MachineName,
    /// When it was signed, by the agent's clock.
    issued_at: Timestamp,
    /// Base64 signature over `machine\nissued_at`.
    signature: String,
}

pub(super) async fn enrol(app: Data<App>, payload: Payload) -> Result<HttpResponse, Problem> {
    let asked: Enrolment = body::json(payload, BYTES_MAX).await?;
    let machine = &asked.machine;
    let text = format!("{machine}\n{}\n{}", asked.code, asked.public_key);
    let refused = || {
        let why = "no code that counts for this machine, or no signature";
        failure(&app, machine, why)
    };
    if !is_by(&asked.public_key, &text, &asked.signature) {
        return Err(refused());
    }
    app.ready()?;
    let code = app
        .codes
        .take(machine, &asked.code, app.now())
        .ok_or_else(refused)?;
    let report = EnrolAgent {
        machine: machine.clone(),
        public_key: asked.public_key.clone(),
    };
    let actor = Actor {
        kind: ActorKind::Agent,
        id: machine.to_string(),
    };
    let submission = app.own(
        report_id("enrol", None),
        report.into(),
        Subject::Machine(machine.clone()),
        actor,
    );
    if let Err(problem) = app.submit(submission).await {
        app.codes.give_back(machine, code);
        return Err(problem);
    }
    until_taken(&app, machine, &asked.public_key).await?;
    tracing::info!(%machine, "agent enrolled");
    Ok(HttpResponse::Ok().json(token_for(&app, machine, &asked.public_key)?))
}

pub(super) async fn token(app: Data<App>, payload: Payload) -> Result<HttpResponse, Problem> {
    let asked: Renewal = body::json(payload, BYTES_MAX).await?;
    let machine = &asked.machine;
    let refused = || {
        let why = "no signature of the last five minutes by this machine";
        failure(&app, machine, why)
    };
    let Some(kept) = app.view.machine(machine) else {
        app.ready()?;
        return Err(refused());
    };
    let (now, key) = (app.now(), &kept.document.public_key);
    let text = format!("{machine}\n{}", asked.issued_at);
    let recent =
        now.ms_since(asked.issued_at) <= WINDOW_MS && asked.issued_at.ms_since(now) <= WINDOW_MS;
    if !recent || !is_by(key, &text, &asked.signature) {
        return Err(refused());
    }
    if !kept.document.counts() {
        return Err(out(&kept.document));
    }
    Ok(HttpResponse::Ok().json(token_for(&app, machine, key)?))
}

/// A token for a key that counts.
pub(super) fn token_for(
    app: &App,
    machine: &MachineName,
    public_key: &str,
) -> Result<Enrolled, Problem> {
    app.tokens
        .make(machine, public_key, app.now())
        .map_err(|error| {
            tracing::error!(%machine, error = format!("{error:#}"), "no token");
            Problem::new(
                StatusCode::INTERNAL_SERVER_ERROR,
                "no-token",
                "no token",
                "the gateway could not sign a token; its log says why",
            )
        })
}

fn failure(app: &App, machine: &MachineName, why: &str) -> Problem {
    match app
        .view
        .take(&format!("agent/{machine}"), FAILURES, app.now())
    {
        Taken::Yes => Problem::unauthorised(why),
        Taken::No { retry_in_ms } => Problem::new(
            StatusCode::TOO_MANY_REQUESTS,
            "too-many",
            "too many attempts",
            format!("{machine} has failed too often"),
        )
        .retry_after(retry_in_ms.div_ceil(1000)),
    }
}

/// Waits until the key counts. After that time it still may come to count: then the agent gets its
/// token by its signature, since its code is used up.
async fn until_taken(app: &App, machine: &MachineName, key: &str) -> Result<(), Problem> {
    let until = Instant::now() + TAKEN_WITHIN;
    let counts = async {
        let mut known = None;
        loop {
            let known_now = known.as_deref();
            let changed = app.view.machine_changed(machine, known_now, TAKEN_WITHIN);
            if let Some(kept) = changed.await {
                if kept.document.public_key == key && kept.document.counts() {
                    return;
                }
                known = Some(kept.etag.to_string());
            }
        }
    };
    timeout_at(until, counts).await.map_err(|_| {
        Problem::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "not-taken",
            "not taken yet",
            "the enrolment is durable, but the orchestrator has not taken it yet",
        )
        .mend("the code is used up: ask for a token by signature until there is one")
        .retry_after(5)
    })
}
