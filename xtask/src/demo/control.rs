//! The control: the same servers restarted in the same batches under the same load, without
//! Poolshift and without a drain. It must lose requests, else the measure could not fail.

use anyhow::{Context, Result};
use serde::Serialize;
use std::path::Path;
use std::time::Duration;
use tests::customers::Tally;
use tests::fleet::Server;
use tests::shop::Release;
use tests::stage::Stage;
use tokio::time::sleep;

/// As the rollouts of the demo: a canary first, then more.
const BATCHES: [usize; 4] = [1, 2, 4, 1];

const SERVERS: usize = 8;

/// Load before the first, between two, and after the last batch.
const BETWEEN: Duration = Duration::from_secs(2);

/// What customers saw.
#[derive(Debug, Serialize)]
pub(crate) struct Outcome {
    requests: u64,
    posts: u64,
    /// The measure: requests without the answer that was due.
    pub(crate) failed: u64,
    took_ms_p50: u128,
    took_ms_p99: u128,
    late_ms_p99: u128,
    #[serde(skip)]
    tally: Tally,
}

/// Rolls out a good version as a plain script would: install, restart a batch, wait until it is
/// ready, go on.
pub(crate) async fn run(shop: &Path) -> Result<Outcome> {
    let root = tempfile::tempdir().context("no folder for the demo")?;
    let stage = Stage::set(shop, root.path(), SERVERS, &Release::good("1.0.0")).await?;
    let customers = stage.open()?;
    sleep(BETWEEN).await;
    let mut rest = stage.fleet.servers.as_slice();
    for size in BATCHES {
        let (batch, later) = rest.split_at(size.min(rest.len()));
        rest = later;
        for server in batch {
            server.home.install(&Release::good("1.1.0"))?;
        }
        let batch: Vec<&Server> = batch.iter().collect();
        stage.fleet.restart(&batch).await?;
        sleep(BETWEEN).await;
    }
    Ok(Outcome::of(customers.stop().await?))
}

/// The load alone.
pub(crate) async fn run_undisturbed(shop: &Path, stretch: Duration) -> Result<Outcome> {
    let root = tempfile::tempdir().context("no folder for the demo")?;
    let stage = Stage::set(shop, root.path(), SERVERS, &Release::good("1.0.0")).await?;
    let customers = stage.open()?;
    sleep(stretch).await;
    Ok(Outcome::of(customers.stop().await?))
}

impl Outcome {
    fn of(tally: Tally) -> Self {
        Self {
            requests: tally.requests,
            posts: tally.posts,
            failed: tally.failed,
            took_ms_p50: tally.took(500).as_millis(),
            took_ms_p99: tally.took(990).as_millis(),
            late_ms_p99: tally.late(990).as_millis(),
            tally,
        }
    }

    /// Says on stderr what was lost and who answered.
    pub(crate) fn explain(&self) {
        for (reason, times) in &self.tally.reasons {
            eprintln!("{times:>6} failed: {reason}");
        }
        for line in &self.tally.first_failures {
            eprintln!("  {line}");
        }
        for ((server, version), span) in self.tally.spans() {
            eprintln!("{:>6} answers of {server} in {version}", span.answers);
        }
    }
}
