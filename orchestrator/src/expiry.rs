//! Reports are kept for 30 days; older ones are deleted, once an owner has consumed them.

use std::time::Duration;

use bus::{Bus, Stream};
use tokio::sync::watch;
use tokio::time::sleep;

use crate::lane::now;

/// How often old records are looked for.
const EVERY: Duration = Duration::from_secs(60 * 60);

/// Deletes what is older than `kept_ms`, now and every hour, until `shutdown` is true. The bus does
/// it in many small transactions, and leaves alone what no owner has consumed.
pub(crate) async fn keep(
    bus: Bus,
    kept_ms: u64,
    mut shutdown: watch::Receiver<bool>,
) -> anyhow::Result<()> {
    let work = async {
        let mut failing = false;
        loop {
            failing = pass(&bus, kept_ms, failing).await;
            sleep(EVERY).await;
        }
    };
    tokio::select! {
        // An error means that whoever could ask for a shutdown is gone.
        _ = shutdown.wait_for(|asked| *asked) => Ok(()),
        () = work => Ok(()),
    }
}

/// One pass over both streams; whether it failed. What fails hour after hour is told once.
async fn pass(bus: &Bus, kept_ms: u64, failing: bool) -> bool {
    let now_ms = u64::try_from(now().as_ms()).unwrap_or_default();
    let older_than_ms = now_ms.saturating_sub(kept_ms);
    for stream in [Stream::Reports, Stream::Rejected] {
        match bus.expire(stream, older_than_ms).await {
            Ok(0) => {}
            Ok(deleted) => tracing::info!(%stream, deleted, "old records are gone"),
            Err(error) => {
                if !failing {
                    tracing::warn!(%stream, %error, "old records cannot be deleted; tried again every hour");
                }
                return true;
            }
        }
    }
    false
}
