//! `/healthz`, `/readyz`, `/metrics`.

use actix_web::HttpResponse;
use actix_web::web::{self, Data, ServiceConfig};

use crate::app::App;
use crate::problem::Problem;

/// How long an agent counts as connected after it was seen, in milliseconds: three polls.
const CONNECTED_MS: i64 = 90_000;

pub(crate) fn routes(config: &mut ServiceConfig) {
    config
        .service(web::resource("/healthz").route(web::get().to(healthz)))
        .service(web::resource("/readyz").route(web::get().to(readyz)))
        .service(web::resource("/metrics").route(web::get().to(metrics)));
}

async fn healthz() -> HttpResponse {
    HttpResponse::Ok().body("alive\n")
}

async fn readyz(app: Data<App>) -> Result<HttpResponse, Problem> {
    app.ready()?;
    Ok(HttpResponse::Ok().body("ready\n"))
}

async fn metrics(app: Data<App>) -> HttpResponse {
    let since = events::Timestamp::from_ms(app.now().as_ms() - CONNECTED_MS);
    let agents = i64::try_from(app.view.agents_since(since)).unwrap_or(i64::MAX);
    app.metrics.agents.set(agents);
    if let Ok(Some(room)) = app.bus.room().await {
        let gauge = |bytes: u64| i64::try_from(bytes).unwrap_or(i64::MAX);
        app.metrics.log_bytes.set(gauge(room.log_bytes));
        app.metrics.log_free_bytes.set(gauge(room.free_bytes));
    }
    HttpResponse::Ok()
        .content_type("text/plain; version=0.0.4")
        .body(app.metrics.text())
}
