//! `POST /api/v1/machines/{machine}/look`: asks a machine's agent what only it can see, and waits
//! for the answer.

use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Path, Payload};
use events::{LookAt, Looked, Timestamp};
use serde::Serialize;
use tokio::time::timeout;

use crate::api::machines;
use crate::app::App;
use crate::body::{self, BYTES_MAX};
use crate::polling::while_open;
use crate::problem::Problem;

/// How long an agent may take: it answers at once, unless an artifact's host keeps silent.
const WITHIN: Duration = Duration::from_secs(10);

/// What came of a look.
#[derive(Debug, Serialize)]
struct Answer {
    /// The gateway's clock when it asked.
    asked_at: Timestamp,
    /// The gateway's clock when the answer was there, or was waited for no longer.
    ended_at: Timestamp,
    /// The answer; none: the agent kept silent.
    looked: Option<Looked>,
}

pub(super) async fn look(
    app: Data<App>,
    path: Path<String>,
    payload: Payload,
) -> Result<HttpResponse, Problem> {
    let at: LookAt = body::json(payload, BYTES_MAX).await?;
    let most = at.folders.len().max(at.programs.len()).max(at.urls.len());
    if most > LookAt::MOST {
        return Err(Problem::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "too-large",
            "too much to look at",
            format!("at most {} of each are looked at once", LookAt::MOST),
        ));
    }
    let machine = machines::machine(&path)?;
    if app.view.machine(&machine).is_none() {
        app.ready()?;
        return Err(machines::unknown(&app, &machine));
    }
    let asked_at = app.now();
    let mut asked = app.looks.ask(&machine, at);
    app.board.wake(&machine);
    let answer = while_open(&app, timeout(WITHIN, &mut asked.answer)).await;
    Ok(HttpResponse::Ok().json(Answer {
        asked_at,
        ended_at: app.now(),
        looked: answer.and_then(Result::ok).and_then(Result::ok),
    }))
}
