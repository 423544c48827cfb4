//! `GET /api/v1/targets`.

use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};

use crate::api::known_target;
use crate::app::App;
use crate::polling::{Poll, answer, while_open};
use crate::problem::Problem;

pub(super) async fn list(app: Data<App>) -> Result<HttpResponse, Problem> {
    app.ready()?;
    let all = app.view.targets();
    let documents: Vec<_> = all.iter().map(|kept| kept.document.as_ref()).collect();
    Ok(HttpResponse::Ok().json(documents))
}

pub(super) async fn get(
    app: Data<App>,
    request: HttpRequest,
    path: Path<(String, String)>,
) -> Result<HttpResponse, Problem> {
    let (environment, service) = path.into_inner();
    let target = known_target(&app, &environment, &service)?;
    let poll = Poll::of(&request, 0);
    let changed = app
        .view
        .target_changed(&target, poll.known.as_deref(), poll.wait);
    let kept = while_open(&app, changed).await.flatten();
    match kept.or_else(|| app.view.target(&target)) {
        Some(kept) => Ok(answer(&poll, &kept)),
        None => Err(Problem::not_ready("the events")),
    }
}
