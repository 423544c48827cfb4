//! A rollout that a build server asks for: what both doors of Jenkins lead to.

use actix_web::HttpResponse;
use actix_web::http::header::LOCATION;
use events::{Actor, RequestRollout, RolloutId, Target};
use serde::Serialize;

use crate::accept::accept;
use crate::app::App;
use crate::problem::Problem;

/// The report that a delivery leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Asked {
    pub(crate) target: Target,
    pub(crate) request: RequestRollout,
    pub(crate) actor: Actor,
}

/// What an accepted delivery is answered.
#[derive(Debug, Serialize)]
struct Accepted {
    rollout: RolloutId,
    target: Target,
    url: String,
    status_url: String,
}

impl Asked {
    /// Makes it durable, and answers with where the rollout is shown.
    pub(super) async fn accept(self, app: &App) -> Result<HttpResponse, Problem> {
        let Self {
            target,
            request,
            actor,
        } = self;
        let (rollout, sender) = (request.rollout, request.sender.clone());
        accept(app, &target, request, actor).await?;
        tracing::info!(sender, %target, %rollout, "trigger accepted");
        let url = format!("{}/api/v1/rollouts/{rollout}", app.url);
        Ok(HttpResponse::Accepted()
            .insert_header((LOCATION, url.clone()))
            .json(Accepted {
                rollout,
                target,
                url: url.clone(),
                status_url: url,
            }))
    }
}
