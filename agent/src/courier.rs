//! Handing reports in: in the order they happened, again and again until each is taken or refused.

use std::sync::Arc;

use events::{ReportBatch, ReportId, WireReport};

use crate::backoff::Backoff;
use crate::gateway::{Error, Gateway, REVOKED_PAUSE};
use crate::journal::Entry;
use crate::memory::Memory;

/// The most reports handed in at once.
const BATCH_MAX: usize = 50;
/// Bodies stay well below the 256 KiB that the gateway takes.
const BATCH_BYTES_MAX: usize = 128 * 1024;

/// Hands reports in for ever.
pub(crate) async fn deliver(gateway: Arc<Gateway>, memory: Arc<Memory>) {
    let mut changed = memory.changes();
    let mut backoff = Backoff::default();
    let mut one_by_one = false;
    loop {
        let most = if one_by_one { 1 } else { BATCH_MAX };
        let reports = memory.read(|journal| first(journal.outbox(), most));
        if reports.is_empty() {
            one_by_one = false;
            if changed.changed().await.is_err() {
                return;
            }
            continue;
        }
        let batch = ReportBatch { reports };
        match gateway.report(&batch).await {
            Ok(outcomes) => {
                let ids: Vec<ReportId> = outcomes.iter().map(|outcome| outcome.id).collect();
                for outcome in outcomes.iter().filter(|outcome| !outcome.taken) {
                    let why = outcome.why.as_deref().unwrap_or("no reason given");
                    tracing::error!(report = %outcome.id, why, "a report was refused");
                }
                if forget(&memory, ids) {
                    backoff.reset();
                } else {
                    backoff.pause().await;
                }
            }
            Err(Error::Refused(why)) if batch.reports.len() == 1 => {
                let ids: Vec<ReportId> = batch.reports.iter().map(|report| report.id).collect();
                tracing::error!(report = ?ids, why, "a report was refused");
                forget(&memory, ids);
            }
            // One bad report must not keep the others back.
            Err(Error::Refused(_)) => one_by_one = true,
            Err(Error::Revoked) => tokio::time::sleep(REVOKED_PAUSE).await,
            Err(error @ Error::Unreachable(_)) => {
                backoff.say(&error);
                backoff.pause().await;
            }
        }
    }
}

fn first(outbox: &[WireReport], most: usize) -> Vec<WireReport> {
    let mut bytes = 0;
    let fitting = outbox
        .iter()
        .take(most)
        .enumerate()
        .take_while(|(index, report)| {
            bytes += serde_json::to_vec(report).map_or(0, |json| json.len());
            *index == 0 || bytes <= BATCH_BYTES_MAX
        });
    fitting.map(|(_, report)| report.clone()).collect()
}

/// Whether anything was forgotten. When the journal cannot say so they are sent again: the same
/// id twice is one report.
fn forget(memory: &Memory, ids: Vec<ReportId>) -> bool {
    if ids.is_empty() {
        return false;
    }
    match memory.append(&Entry::Taken { ids }) {
        Ok(()) => true,
        Err(error) => {
            tracing::error!(%error, "the journal cannot be written");
            false
        }
    }
}
