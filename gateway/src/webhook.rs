//! Webhooks of build servers.

mod jenkins;
mod secrets;
mod signature;
mod trigger;

use actix_web::web::{self, ServiceConfig};

pub(crate) use secrets::Secrets;
pub(crate) use trigger::{check_text, check_url, digest};

pub(crate) fn routes(config: &mut ServiceConfig) {
    config.service(web::resource("/webhooks/jenkins").route(web::post().to(jenkins::deliver)));
}
