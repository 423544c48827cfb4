//! `GET /api/v1/reports/{id}`: whether a report was refused, and why. What it led to, if it was
//! taken, stands in the history as events whose cause it is.

use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use events::ReportId;
use serde::Serialize;
use tokio::time::timeout;

use crate::app::App;
use crate::polling::{Poll, while_open};
use crate::problem::Problem;

#[derive(Debug, Serialize)]
struct Known {
    report: ReportId,
    /// Why it was not taken; none: nothing of that kind is known.
    refused: Option<String>,
}

/// Answers when it is refused, or when the poll has waited long enough.
pub(super) async fn get(
    app: Data<App>,
    request: HttpRequest,
    path: Path<String>,
) -> Result<HttpResponse, Problem> {
    let report: ReportId = path.parse().map_err(|_| {
        let detail = format!("`{}` is no report", *path);
        Problem::not_found("unknown-report", detail)
            .mend("write the id that a request was answered")
    })?;
    let wait = Poll::of(&request, 0).wait;
    let refused = while_open(&app, timeout(wait, app.refusals.of(report))).await;
    let refused = refused.and_then(Result::ok).flatten();
    Ok(HttpResponse::Ok().json(Known { report, refused }))
}
