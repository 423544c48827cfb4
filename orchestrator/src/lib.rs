//! The shell around the brain: it owns partitions, reads their reports, has the brain decide, and
//! writes each decision as one transaction. It decides nothing itself.
//!
//! One lane for each partition. A lane that takes its partition fences the former owner, folds up
//! to its own `OwnershipTaken`, publishes the record of every server anew, and only then decides.
//! A state is adopted when its events are in the log, never before.

mod deciding;
mod expiry;
mod folding;
mod lane;
mod outgoing;
mod present;
mod snapshot;
mod subject;

use anyhow::Context as _;
use bus::{Bus, PARTITIONS};
use tokio::sync::watch;
use tokio::task::JoinSet;
use view::View;

use lane::Lane;

pub use outgoing::{Around, command_record};
pub use subject::Head;

/// Settings of the orchestrator.
#[derive(Debug, Clone, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// The name of this instance, as events give it.
    pub instance: String,
    /// How long reports are kept, in milliseconds: 30 days, as long as a key counts. Not read from
    /// files: only tests need another time.
    #[serde(skip)]
    pub reports_kept_ms: u64,
    /// After how many events of a partition the states are kept: what a start folds at most, but
    /// for targets that stand still. Not read from files: only tests need another number.
    #[serde(skip)]
    pub keep_every: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            instance: "1".to_owned(),
            reports_kept_ms: 30 * 24 * 60 * 60 * 1000,
            keep_every: 1_000,
        }
    }
}

/// The record with which `instance` takes a partition, with an epoch of `base` plus the record's
/// own offset: for whoever writes a log without deciding anything, such as an import.
#[must_use]
pub fn ownership_record(instance: &str, partition: u32, base: events::Epoch) -> bus::Outgoing {
    outgoing::taken(instance, partition, base, lane::now())
}

/// Owns every partition and decides until `shutdown` is true; what is being written then is
/// written to its end.
///
/// # Errors
/// When a partition cannot be taken or read, or another owner took it: the process must end and
/// start anew.
pub async fn run(
    settings: Settings,
    bus: Bus,
    view: View,
    shutdown: watch::Receiver<bool>,
) -> anyhow::Result<()> {
    let mut ready = JoinSet::new();
    for partition in 0..PARTITIONS {
        let (bus, view, settings) = (bus.clone(), view.clone(), settings.clone());
        ready.spawn(Lane::take(
            bus,
            view,
            settings,
            partition,
            0,
            shutdown.clone(),
        ));
    }
    let mut lanes = JoinSet::new();
    while let Some(lane) = ready.join_next().await {
        let lane = lane.context("a lane ended while it took its partition")??;
        lanes.spawn(lane.run(shutdown.clone()));
    }
    view.set_complete();
    lanes.spawn(expiry::keep(bus, settings.reports_kept_ms, shutdown));
    while let Some(ended) = lanes.join_next().await {
        ended.context("a lane ended without a word")??;
    }
    Ok(())
}
