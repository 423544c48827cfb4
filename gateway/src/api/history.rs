//! `GET /api/v1/targets/{environment}/{service}/history`: a target's events, as they stand in the
//! log.

use actix_web::HttpResponse;
use actix_web::web::{Data, Path, Query};
use bus::Record;
use events::{Actor, CommandId, Digest, Envelope, RolloutRef, Subject, Timestamp, partition_of};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::api::known_target;
use crate::app::App;
use crate::problem::Problem;

const LIMIT_DEFAULT: usize = 100;
const LIMIT_MAX: usize = 1000;

#[derive(Debug, Deserialize)]
pub(super) struct Wanted {
    /// Events after this number.
    after: Option<u64>,
    /// At most so many.
    limit: Option<usize>,
}

#[derive(Debug, Serialize)]
struct Page {
    events: Vec<Shown>,
    /// Whether there are more, after the last one shown.
    more: bool,
}

#[derive(Debug, Serialize)]
struct Shown {
    n: u64,
    id: String,
    #[serde(rename = "type")]
    kind: String,
    v: u16,
    at: Option<Timestamp>,
    reported_at: Timestamp,
    source: String,
    actor: Actor,
    cause: Option<String>,
    epoch: Option<u64>,
    brain: Option<u16>,
    rollout: Option<RolloutRef>,
    command: Option<CommandId>,
    prev: Option<Digest>,
    body: Box<RawValue>,
}

pub(super) async fn read(
    app: Data<App>,
    path: Path<(String, String)>,
    wanted: Query<Wanted>,
) -> Result<HttpResponse, Problem> {
    let (environment, service) = path.into_inner();
    let target = known_target(&app, &environment, &service)?;
    let after = wanted.after.unwrap_or(0);
    let limit = wanted.limit.unwrap_or(LIMIT_DEFAULT).clamp(1, LIMIT_MAX);
    let partition = partition_of(&Subject::Target(target.clone()));
    let place = (partition, target.as_str());
    let reads = &app.metrics.history_reads;
    let page = app
        .places
        .page(&app.bus, place, after, limit, reads)
        .await
        .map_err(|error| {
            tracing::error!(%target, %error, "history cannot be read");
            Problem::not_ready("the events")
        })?;
    Ok(HttpResponse::Ok().json(Page {
        events: page.records.iter().filter_map(shown).collect(),
        more: page.more,
    }))
}

/// What cannot be read is left out here; the orchestrator is who stops at it.
fn shown(record: &Record) -> Option<Shown> {
    let envelope = Envelope::from_headers(&record.headers).ok()?;
    Some(Shown {
        n: envelope.n?,
        id: envelope.id.hyphenated().to_string(),
        kind: envelope.kind,
        v: envelope.version,
        at: envelope.at,
        reported_at: envelope.reported_at,
        source: envelope.source.to_string(),
        actor: envelope.actor,
        cause: envelope.cause.map(|cause| cause.to_string()),
        epoch: envelope.epoch,
        brain: envelope.brain,
        rollout: envelope.rollout,
        command: envelope.command,
        prev: envelope.prev,
        body: serde_json::from_slice(&record.value).ok()?,
    })
}
