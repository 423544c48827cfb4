//! The API, on the local listener: what is so, and what people want.

mod catalogue;
mod freezes;
mod gates;
mod history;
mod log;
mod looks;
mod machines;
mod reports;
mod rollouts;
mod servers;
mod steer;
mod targets;
mod votes;

use actix_web::web::{self, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use events::{ReportId, Target};
use serde::Serialize;

use crate::app::App;
use crate::problem::Problem;

pub(crate) use rollouts::get as rollout;

pub(crate) fn routes(config: &mut ServiceConfig) {
    let at = |path: &str| web::resource(format!("/api/v1{path}"));
    let target = "/targets/{environment}/{service}";
    config
        .service(at("/targets").route(web::get().to(targets::list)))
        .service(at(target).route(web::get().to(targets::get)))
        .service(at(&format!("{target}/history")).route(web::get().to(history::read)))
        .service(
            at(&format!("{target}/servers/{{server}}/release"))
                .route(web::post().to(servers::release)),
        )
        .service(
            at(&format!("{target}/servers/{{server}}/adopt")).route(web::post().to(servers::adopt)),
        )
        .service(at(&format!("{target}/freeze")).route(web::post().to(freezes::freeze)))
        .service(at(&format!("{target}/unfreeze")).route(web::post().to(freezes::unfreeze)))
        .service(at("/environments/{environment}/freeze").route(web::post().to(freezes::freeze)))
        .service(
            at("/environments/{environment}/unfreeze").route(web::post().to(freezes::unfreeze)),
        )
        .service(
            at(&format!("{target}/servers/{{server}}/exclude"))
                .route(web::post().to(servers::exclude)),
        )
        .service(
            at("/rollouts")
                .route(web::get().to(rollouts::list))
                .route(web::post().to(rollouts::start)),
        )
        .service(at("/rollouts/{id}").route(web::get().to(rollouts::get)))
        .service(at("/rollouts/{id}/votes").route(web::post().to(votes::cast)))
        .service(at("/rollouts/{id}/supersede").route(web::post().to(gates::supersede)))
        .service(at("/rollouts/{id}/overrides").route(web::post().to(gates::override_gate)))
        .service(at("/rollouts/{id}/{wish}").route(web::post().to(steer::steer)))
        .service(at("/reports/{id}").route(web::get().to(reports::get)))
        .service(at("/log").route(web::get().to(log::room)))
        .service(at("/log/export").route(web::get().to(log::export)))
        .service(at("/catalogue").route(web::post().to(catalogue::define)))
        .service(at("/machines").route(web::get().to(machines::list)))
        .service(at("/machines/{machine}/look").route(web::post().to(looks::look)))
        .service(at("/machines/{machine}/enrol").route(web::post().to(machines::enrol)))
        .service(at("/machines/{machine}/revoke").route(web::post().to(machines::revoke)));
}

/// What a write is answered: its report is durable.
#[derive(Debug, Serialize)]
struct Written {
    report: ReportId,
}

fn written(report: ReportId) -> HttpResponse {
    HttpResponse::Accepted().json(Written { report })
}

/// The key that a writer gives, so that a repeated request counts once.
fn key(request: &HttpRequest) -> Option<&str> {
    request.headers().get("idempotency-key")?.to_str().ok()
}

/// A target that is in the catalogue.
fn known_target(app: &App, environment: &str, service: &str) -> Result<Target, Problem> {
    let text = format!("{environment}/{service}");
    let known = app.view.targets();
    let unknown = || {
        Problem::not_found(
            "unknown-target",
            format!("`{text}` is not in the catalogue"),
        )
        .mend("name a known target, or apply a catalogue entry for this one")
        .known(known.iter().map(|kept| kept.document.target.to_string()))
    };
    let target: Target = text.parse().map_err(|_| unknown())?;
    match app.view.target(&target) {
        Some(_) => Ok(target),
        None => {
            app.ready()?;
            Err(unknown())
        }
    }
}
