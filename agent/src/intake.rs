//! Polling for commands: keeps what the gateway last said.

use std::sync::Arc;

use events::{
    Assignment, CommandId, Enrolled, Fence, Look, MachineName, ServerName, Target, Timestamp,
};
use serde::Deserialize;
use serde_json::value::RawValue;
use tokio::sync::watch;

use crate::backoff::Backoff;
use crate::clock;
use crate::decide::{Assigned, Order};
use crate::gateway::{Error, Gateway, Polled, REVOKED_PAUSE};
use crate::look::Looker;

/// Polls for ever.
pub(crate) async fn follow(
    gateway: Arc<Gateway>,
    inbox: watch::Sender<Vec<Assigned>>,
    mut looker: Looker,
) {
    let mut etag: Option<String> = None;
    let mut backoff = Backoff::default();
    loop {
        match gateway.poll(etag.as_deref()).await {
            Ok(Polled::Same) => backoff.reset(),
            Ok(Polled::Changed { body, etag: tag }) => match read(&body, clock::now_ms()) {
                Ok((assigned, renewed, look)) => {
                    backoff.reset();
                    if let Some(look) = look {
                        looker.look(&gateway, look);
                    }
                    if let Some(renewed) = renewed {
                        gateway.renewed(&renewed).await;
                    }
                    // Without a tag the next poll would come back at once.
                    if tag.is_none() {
                        backoff.pause().await;
                    }
                    etag = tag;
                    inbox.send_replace(assigned);
                }
                Err(error) => {
                    tracing::error!(%error, "the gateway's answer cannot be read");
                    backoff.pause().await;
                }
            },
            Err(Error::Revoked) => {
                // What it said before counts no more.
                inbox.send_replace(Vec::new());
                etag = None;
                tokio::time::sleep(REVOKED_PAUSE).await;
            }
            Err(error) => {
                backoff.say(&error);
                backoff.pause().await;
            }
        }
    }
}

/// A poll's answer, each record still unread: one that is too new must not hide the others.
#[derive(Deserialize)]
struct Answer {
    #[expect(dead_code, reason = "what remains is counted on the agent's own clock")]
    server_time: Timestamp,
    assignments: Vec<Box<RawValue>>,
    renewed: Option<Enrolled>,
    look: Option<Look>,
}

type Told = (Vec<Assigned>, Option<Enrolled>, Option<Look>);

/// What every record has, however new it is.
#[derive(Deserialize)]
struct AnyAssignment {
    record: AnyRecord,
    start_within_ms: u64,
    remains_ms: u64,
}

#[derive(Deserialize)]
struct AnyRecord {
    target: Target,
    server: ServerName,
    machine: MachineName,
    epoch: u64,
    seq: u64,
    id: CommandId,
}

fn read(body: &[u8], now_ms: u64) -> serde_json::Result<Told> {
    let answer: Answer = serde_json::from_slice(body)?;
    let assigned = answer.assignments.iter();
    let assigned = assigned
        .filter_map(|raw| read_one(raw.get(), now_ms))
        .collect();
    Ok((assigned, answer.renewed, answer.look))
}

fn read_one(raw: &str, now_ms: u64) -> Option<Assigned> {
    let error = match serde_json::from_str::<Assignment>(raw) {
        Ok(assignment) => return Some(Assigned::new(assignment, now_ms)),
        Err(error) => error,
    };
    match serde_json::from_str::<AnyAssignment>(raw) {
        Ok(any) => Some(Assigned {
            target: any.record.target,
            server: any.record.server,
            machine: any.record.machine,
            fence: Fence {
                epoch: any.record.epoch,
                seq: any.record.seq,
            },
            order: Order::Unknown(any.record.id),
            begin_by_ms: now_ms.saturating_add(any.start_within_ms),
            end_by_ms: now_ms.saturating_add(any.remains_ms),
        }),
        Err(_) => {
            tracing::error!(%error, "a record cannot be read and is passed over");
            None
        }
    }
}
