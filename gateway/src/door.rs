//! Around every request: it is counted, and whatever is refused without a body gets one.

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::StatusCode;
use actix_web::http::header::CONTENT_TYPE;
use actix_web::middleware::Next;
use actix_web::web::Data;
use actix_web::{Error, ResponseError as _};

use crate::app::App;
use crate::local;
use crate::problem::{MEDIA_TYPE, Problem};

/// Of the public listener.
pub(crate) async fn public(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let answered = next.call(request).await?;
    Ok(finish(answered.map_into_boxed_body()))
}

/// Of the local listener: only who is admitted comes in.
pub(crate) async fn local(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let answered = match local::admit(request.method(), request.headers()) {
        Ok(()) => next.call(request).await?.map_into_boxed_body(),
        Err(problem) => request.into_response(problem.error_response()),
    };
    Ok(finish(answered))
}

fn finish(answered: ServiceResponse<BoxBody>) -> ServiceResponse<BoxBody> {
    let status = answered.status();
    let kind = answered.headers().get(CONTENT_TYPE);
    let told = kind.is_some_and(|kind| kind.as_bytes() == MEDIA_TYPE.as_bytes());
    let answered = if refuses(status) && !told {
        let request = answered.request().clone();
        let problem = Problem::of_router(status, request.method().as_str(), request.path());
        ServiceResponse::new(request, problem.error_response())
    } else {
        answered
    };
    count(&answered);
    answered
}

fn refuses(status: StatusCode) -> bool {
    status.is_client_error() || status.is_server_error()
}

fn count(answered: &ServiceResponse<BoxBody>) {
    let request = answered.request();
    let Some(app) = request.app_data::<Data<App>>() else {
        return;
    };
    let route = request.match_pattern();
    let route = route.as_deref().unwrap_or("none");
    let status = answered.status();
    let labels = [route, request.method().as_str(), status.as_str()];
    app.metrics.requests.with_label_values(&labels).inc();
    if let Some(rest) = route.strip_prefix("/webhooks/") {
        // What follows is a secret's place.
        let sender = rest.split('/').next().unwrap_or(rest);
        let labels = [sender, status.as_str()];
        app.metrics.webhooks.with_label_values(&labels).inc();
    }
}
