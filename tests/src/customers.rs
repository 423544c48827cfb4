//! The customers: they come when they come, whether the last was served or not, ask once, and
//! count every answer they did not get.

mod judge;
mod lines;
mod tally;
mod visit;

pub use judge::Failure;
pub use tally::{Answered, HeldOut, Span, Tally};

use anyhow::{Context, Result, ensure};
use lines::Lines;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until, timeout};
use visit::{Outcome, Visit};

/// How a load is made.
#[derive(Debug, Clone)]
pub struct Load {
    /// The customers' doors; each customer takes one of them by chance.
    pub doors: Vec<SocketAddr>,
    /// Requests a second. Half of them are `POST /order`.
    pub per_second: u32,
    /// How long a customer waits for an answer.
    pub patience: Duration,
}

/// A running load.
#[derive(Debug)]
pub struct Customers {
    stop: watch::Sender<bool>,
    progress: watch::Receiver<Progress>,
    tally: JoinHandle<Tally>,
    patience: Duration,
}

/// How a load stands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Progress {
    /// Requests that have an answer, or have failed.
    pub requests: u64,
    /// Requests that have failed.
    pub failed: u64,
}

impl Load {
    /// 500 requests a second through these doors.
    #[must_use]
    pub fn through(doors: Vec<SocketAddr>) -> Self {
        Self {
            doors,
            per_second: 500,
            patience: Duration::from_secs(10),
        }
    }
}

impl Customers {
    /// Lets them come, from now on until [`Self::stop`].
    ///
    /// # Errors
    /// When there is no door or no request a second.
    pub fn start(load: Load) -> Result<Self> {
        ensure!(!load.doors.is_empty(), "customers need a door");
        ensure!(
            load.per_second > 0,
            "customers need at least one request a second"
        );
        let patience = load.patience;
        let (stop, stopped) = watch::channel(false);
        let (report, outcomes) = mpsc::unbounded_channel();
        let (show, progress) = watch::channel(Progress::default());
        tokio::spawn(arrive(load, stopped, report));
        let tally = tokio::spawn(count(outcomes, show));
        Ok(Self {
            stop,
            progress,
            tally,
            patience,
        })
    }

    /// How it stands now; also an event to wait for.
    #[must_use]
    pub fn progress(&self) -> watch::Receiver<Progress> {
        self.progress.clone()
    }

    /// Lets no more of them come, waits for those who are there, and returns what they saw.
    ///
    /// # Errors
    /// When the count broke off.
    pub async fn stop(self) -> Result<Tally> {
        self.stop.send_replace(true);
        // Each request has its own deadline; this one is for a fault of the count itself.
        timeout(self.patience + Duration::from_secs(10), self.tally)
            .await
            .context("the customers do not leave")?
            .context("the count of the customers broke off")
    }
}

/// Open loop: the arrivals keep to the clock, not to the answers.
async fn arrive(
    load: Load,
    mut stopped: watch::Receiver<bool>,
    report: mpsc::UnboundedSender<Outcome>,
) {
    let lines: Vec<Arc<Lines>> = load.doors.iter().map(|&door| Lines::to(door)).collect();
    let begun = Instant::now();
    for number in 0_u64.. {
        let due = begun + Duration::from_secs(1) * u32_of(number) / load.per_second;
        tokio::select! {
            biased;
            _ = stopped.changed() => return,
            () = sleep_until(due) => {}
        }
        let visit = Visit::number(number, lines.len());
        let line = Arc::clone(&lines[visit.door]);
        let (report, patience) = (report.clone(), load.patience);
        tokio::spawn(async move {
            let outcome = visit.pay(&line, due, patience).await;
            // Nobody counts any more: the load was given up.
            drop(report.send(outcome));
        });
    }
}

/// At 500 a second a load would have to run for 99 days to come to the end of this.
fn u32_of(number: u64) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

async fn count(
    mut outcomes: mpsc::UnboundedReceiver<Outcome>,
    show: watch::Sender<Progress>,
) -> Tally {
    let mut tally = Tally::default();
    while let Some(outcome) = outcomes.recv().await {
        tally.add(outcome);
        show.send_replace(Progress {
            requests: tally.requests,
            failed: tally.failed,
        });
    }
    tally
}
