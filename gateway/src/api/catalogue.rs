//! `POST /api/v1/catalogue`: an entry enters the log. What it says is judged where it is known.

use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use events::{DefineService, Subject, Target, sha256};
use serde::Deserialize;

use crate::api::{key, written};
use crate::app::{App, report_id};
use crate::body;
use crate::problem::Problem;

/// The largest entry, in bytes; the contract's bound of the event that it becomes.
const ENTRY_BYTES_MAX: usize = 768 * 1024;

/// Twice an entry: every byte of it may need to be escaped.
const BODY_BYTES_MAX: usize = 2 * ENTRY_BYTES_MAX;

#[derive(Debug, Deserialize)]
struct Entry {
    target: Target,
    entry: String,
    person: Option<String>,
}

pub(super) async fn define(
    app: Data<App>,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, Problem> {
    let asked: Entry = body::json(payload, BODY_BYTES_MAX).await?;
    if asked.entry.len() > ENTRY_BYTES_MAX {
        let detail = format!("it has {} bytes", asked.entry.len());
        let mend = format!("an entry has at most {ENTRY_BYTES_MAX} bytes");
        return Err(Problem::wrong_field("entry", detail, &mend));
    }
    let actor = app.actor(asked.person.as_deref())?;
    let door = format!(
        "catalogue\n{}\n{}",
        asked.target,
        sha256(asked.entry.as_bytes())
    );
    let report = report_id(&door, key(&request));
    let define = DefineService { entry: asked.entry };
    let subject = Subject::Target(asked.target);
    app.submit(app.own(report, define.into(), subject, actor))
        .await?;
    Ok(written(report))
}
