//! `GET /api/v1/log`: how large the log is. `GET /api/v1/log/export`: a backup of it, while it is
//! written to.

use actix_web::HttpResponse;
use actix_web::web::{Bytes, Data};
use bus::backup::Export;
use futures_util::stream::try_unfold;
use serde::Serialize;

use crate::app::App;
use crate::problem::Problem;

/// Below this much room on the log's disk people are told, in bytes: a rollout over 20 servers
/// writes about half a megabyte, so there are days left to act, and Grafana has shown it for weeks.
const LOW_BYTES: u64 = 2 << 30;

/// The sizes are absent where the log lies on Kafka.
#[derive(Debug, Serialize)]
struct Room {
    #[serde(skip_serializing_if = "Option::is_none")]
    log_bytes: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    free_bytes: Option<u64>,
    /// What is wrong, and how to mend it.
    alarm: Option<String>,
}

pub(super) async fn room(app: Data<App>) -> Result<HttpResponse, Problem> {
    let room = app.bus.room().await.map_err(|error| unreadable(&error))?;
    Ok(HttpResponse::Ok().json(Room {
        log_bytes: room.map(|room| room.log_bytes),
        free_bytes: room.map(|room| room.free_bytes),
        alarm: room.and_then(alarm),
    }))
}

/// What people are told when room runs out.
fn alarm(room: bus::Room) -> Option<String> {
    (room.free_bytes < LOW_BYTES).then(|| {
        format!(
            "the log's disk has {} MiB left: free some, or move the log to a larger disk; when it \
             is full nothing moves, and nothing is lost",
            room.free_bytes >> 20
        )
    })
}

/// A backup that breaks off lacks its last line, so nobody can take it for a whole one.
pub(super) async fn export(app: Data<App>) -> Result<HttpResponse, Problem> {
    let written_by = concat!("poolshift ", env!("CARGO_PKG_VERSION"));
    let export = Export::begin(&app.bus, written_by).await;
    let export = export.map_err(|error| unreadable(&error))?;
    let lines = try_unfold(export, |mut export| async move {
        match export.next().await {
            Ok(lines) => Ok(lines.map(|lines| (Bytes::from(lines), export))),
            Err(error) => {
                tracing::error!(%error, "a backup broke off");
                Err(error)
            }
        }
    });
    Ok(HttpResponse::Ok()
        .content_type("application/x-ndjson")
        .streaming(lines))
}

fn unreadable(error: &bus::Error) -> Problem {
    tracing::error!(%error, "the log cannot be looked at");
    Problem::not_ready("the log")
}

#[cfg(test)]
mod tests {
    use super::{LOW_BYTES, alarm};

    fn with(free_bytes: u64) -> bus::Room {
        bus::Room {
            log_bytes: 1,
            free_bytes,
        }
    }

    #[test]
    fn people_are_told_before_the_disk_is_full() {
        assert_eq!(alarm(with(LOW_BYTES)), None);
        let told = alarm(with(LOW_BYTES - 1)).unwrap();
        assert!(told.contains("2047 MiB left: free some"), "{told}");
    }
}
