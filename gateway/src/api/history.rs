//! `GET /api/v1/targets/{environment}/{service}/history`: a target's events, as they stand in the
//! log.

use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::web::{Data, Path, Query};
use bus::{Position, Record, Stream};
use events::{Actor, CommandId, Digest, Envelope, RolloutRef, Subject, Timestamp, partition_of};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::api::known_target;
use crate::app::App;
use crate::problem::Problem;

const LIMIT_DEFAULT: usize = 100;
const LIMIT_MAX: usize = 1000;
const BATCH: usize = 1000;

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
    let page = collect(&app, partition, target.as_str(), after, limit).await;
    let page = page.map_err(|error| {
        tracing::error!(%target, %error, "history cannot be read");
        Problem::not_ready("the events")
    })?;
    Ok(HttpResponse::Ok().json(page))
}

async fn collect(
    app: &App,
    partition: u32,
    key: &str,
    after: u64,
    limit: usize,
) -> Result<Page, bus::Error> {
    let end = app.bus.end(Stream::Events, partition).await?;
    let mut events = app
        .bus
        .follow(Stream::Events, &[partition], &Position::Start)?;
    let mut page = Page {
        events: Vec::new(),
        more: false,
    };
    while events.position(partition) < end {
        for record in events.next_batch(BATCH, Duration::ZERO).await? {
            let Some(shown) = shown(key, &record).filter(|shown| shown.n > after) else {
                continue;
            };
            if page.events.len() == limit {
                page.more = true;
                return Ok(page);
            }
            page.events.push(shown);
        }
    }
    Ok(page)
}

/// What cannot be read is left out here; the orchestrator is who stops at it.
fn shown(key: &str, record: &Record) -> Option<Shown> {
    if record.key != key {
        return None;
    }
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
