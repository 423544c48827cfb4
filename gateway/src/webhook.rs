//! Webhooks of build servers.

mod asked;
mod build;
mod foreign;
mod jenkins;
mod job;
mod known;
mod mapped;
mod notification;
mod outcome;
mod place;
mod secrets;
mod signature;
mod status;
pub mod stored;
mod trigger;

use actix_web::web::{self, ServiceConfig};

pub use known::Known;
pub(crate) use secrets::Secrets;
pub(crate) use trigger::{TestsSaid, check_text, check_url, digest};

pub(crate) fn routes(config: &mut ServiceConfig) {
    let notification =
        |path: &str| web::resource(path.to_owned()).route(web::post().to(notification::deliver));
    config
        .service(web::resource("/api/v1/rollouts/{id}").route(web::get().to(status::get)))
        .service(web::resource("/webhooks/jenkins").route(web::post().to(jenkins::deliver)))
        .service(notification("/webhooks/jenkins-notification"))
        .service(notification("/webhooks/jenkins-notification/{token}"));
}
