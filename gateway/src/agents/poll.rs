//! `GET /agents/v1/commands`: the records of one machine's servers, as soon as they change.

use actix_web::http::header::ETAG;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use events::{
    Assignment, CommandRecord, Enrolled, Look, MachineName, PollAnswer, PollTerms, Timestamp,
    sha256,
};
use tokio::time::{Instant, timeout_at};

use crate::agents::enrol::token_for;
use crate::agents::reports::agent_version;
use crate::agents::tokens::Claims;
use crate::agents::{agent, stands, told};
use crate::app::App;
use crate::polling::{Poll, while_open};
use crate::problem::Problem;

pub(super) async fn commands(
    app: Data<App>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let (machine, claims) = agent(&app, &request)?;
    app.board.ready()?;
    let poll = Poll::of(&request, PollTerms::WAIT_S_DEFAULT);
    let renewed = renewal(&app, &machine, &claims)?;
    let known = poll.known.as_deref();
    if renewed.is_none() {
        while_open(
            &app,
            until_changed(&app, &machine, &claims, known, poll.wait),
        )
        .await;
        app.view.seen(&machine, app.now());
        stands(&app, &machine, &claims)?;
    }
    let (records, look, etag) = shown(&app, &machine);
    let tag = (ETAG, format!("\"{etag}\""));
    if renewed.is_none() && known == Some(etag.as_str()) {
        return Ok(HttpResponse::NotModified().insert_header(tag).finish());
    }
    let server_time = app.now();
    let records = records.into_iter().map(told::of_its_own);
    let answer = PollAnswer {
        server_time,
        assignments: records
            .map(|record| assignment(record, server_time))
            .collect(),
        renewed,
        look,
    };
    let body = told::to(&agent_version(&request), &answer);
    Ok(HttpResponse::Ok().insert_header(tag).json(body))
}

/// What a machine is to know now, and the name of this very state of it.
fn shown(app: &App, machine: &MachineName) -> (Vec<CommandRecord>, Option<Look>, String) {
    let (records, etag) = app.board.records(machine);
    match app.looks.next(machine) {
        // A question has a name of its own: an agent that does not know of looks polls on in peace.
        Some(look) => {
            let etag = sha256(format!("{etag} {}", look.id).as_bytes()).short();
            (records, Some(look), etag)
        }
        None => (records, None, etag),
    }
}

/// Until the machine's records are others than the agent has, or its key counts no more.
async fn until_changed(
    app: &App,
    machine: &MachineName,
    claims: &Claims,
    known: Option<&str>,
    wait: std::time::Duration,
) {
    let until = Instant::now() + wait;
    let mut records = app.board.changes(machine);
    loop {
        records.mark_unchanged();
        let key = app.view.machine(machine).map(|kept| kept.etag.to_string());
        let news = known != Some(shown(app, machine).2.as_str());
        if news || stands(app, machine, claims).is_err() {
            return;
        }
        let changed = async {
            tokio::select! {
                gone = records.changed() => gone.is_ok(),
                _ = app.view.machine_changed(machine, key.as_deref(), wait) => true,
            }
        };
        if !timeout_at(until, changed).await.unwrap_or(false) {
            return;
        }
    }
}

fn renewal(app: &App, machine: &MachineName, claims: &Claims) -> Result<Option<Enrolled>, Problem> {
    match app.view.machine(machine) {
        Some(kept) if claims.is_old(app.now()) => {
            token_for(app, machine, &kept.document.public_key).map(Some)
        }
        Some(_) | None => Ok(None),
    }
}

/// A record with what remains of its time: agents do not compare clocks.
fn assignment(record: CommandRecord, now: Timestamp) -> Assignment {
    let (start_within_ms, remains_ms) = record.command().map_or((0, 0), |command| {
        let start_by = command.issued_at.plus_ms(command.start_within_ms);
        (start_by.ms_since(now), command.deadline_at.ms_since(now))
    });
    Assignment {
        record,
        start_within_ms,
        remains_ms,
    }
}
