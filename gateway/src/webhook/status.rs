//! `GET /api/v1/rollouts/{id}` on the public listener: a pipeline that has asked for a rollout waits
//! for it there, since the API itself listens on loopback only. The same document and long poll as
//! the API's; whoever may ask for a rollout may see one.

use actix_web::http::header::AUTHORIZATION;
use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};

use crate::api;
use crate::app::App;
use crate::problem::Problem;

pub(super) async fn get(
    app: Data<App>,
    request: HttpRequest,
    path: Path<String>,
) -> Result<HttpResponse, Problem> {
    let header = request.headers().get(AUTHORIZATION);
    let token = header
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.strip_prefix("Bearer "));
    if !token.is_some_and(|token| app.secrets.has_token(token.trim())) {
        return Err(Problem::unauthorised("no bearer token that counts here"));
    }
    api::rollout(app, request, path).await
}
