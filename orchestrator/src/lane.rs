//! One partition, from the moment it is taken.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, bail};
use bus::{Bus, Follower, Owner, Position, Record, Stream};
use events::{Epoch, Target, Timestamp};
use rollout::wake_at;
use tokio::sync::watch;
use tokio::time::sleep;
use view::View;

use crate::subject::Subjects;
use crate::{Settings, outgoing, snapshot};

/// How long a lane waits for reports before it looks at the clock anyway.
const IDLE: Duration = Duration::from_secs(30);

/// How many reports are read at once.
const BATCH: usize = 64;

/// How often a partition is taken anew before that is given up.
const TAKES_MAX: u32 = 5;

/// How long a lane waits before it tries to write again what could not be written.
const RETRY: Duration = Duration::from_secs(1);

/// A partition that is ours.
pub(crate) struct Lane {
    pub(crate) bus: Bus,
    pub(crate) view: View,
    pub(crate) settings: Settings,
    pub(crate) owner: Owner,
    pub(crate) subjects: Subjects,
    reports: Follower,
}

/// What becomes of a decision that was to be written.
pub(crate) enum Written {
    /// It is in the log.
    Done,
    /// The partition must be taken anew: what is in the log is not known.
    TakeAnew,
    /// It can never be written as it is.
    Never(String),
}

impl Lane {
    /// Takes the partition with an epoch above `above`, folds it, and publishes every record anew.
    pub(crate) async fn take(
        bus: Bus,
        view: View,
        settings: Settings,
        partition: u32,
        above: Epoch,
        shutdown: watch::Receiver<bool>,
    ) -> anyhow::Result<Self> {
        for _ in 0..TAKES_MAX {
            let (bus, view, settings) = (bus.clone(), view.clone(), settings.clone());
            let mut lane = Self::own(bus, view, settings, partition, above).await?;
            match lane.announce(&shutdown).await? {
                Written::Done => {}
                Written::TakeAnew | Written::Never(_) => continue,
            }
            if let Written::TakeAnew = lane.keep(&shutdown).await? {
                continue;
            }
            let epoch = lane.owner.epoch();
            tracing::info!(partition, epoch, "took the partition");
            return Ok(lane);
        }
        bail!("the log did not answer while partition {partition} was taken {TAKES_MAX} times")
    }

    async fn own(
        bus: Bus,
        view: View,
        settings: Settings,
        partition: u32,
        above: Epoch,
    ) -> anyhow::Result<Self> {
        let take = |base| {
            bus.own(
                partition,
                base,
                outgoing::taken(&settings.instance, partition, base, now()),
            )
        };
        let owner = match take(above).await {
            // The former owner had to take it above a worker's epoch; so must everyone after it.
            Err(bus::Error::EpochTooLow { former, .. }) => take(above.max(former)).await,
            other => other,
        };
        let owner = owner.with_context(|| format!("cannot take partition {partition}"))?;
        let subjects = crate::folding::fold(&bus, partition, owner.taken_at()).await?;
        let position = Position::after(partition, owner.consumed());
        let reports = bus
            .follow(Stream::Reports, &[partition], &position)
            .with_context(|| format!("cannot follow the reports of partition {partition}"))?;
        Ok(Self {
            bus,
            view,
            settings,
            owner,
            subjects,
            reports,
        })
    }

    /// Decides until `shutdown` is true.
    pub(crate) async fn run(mut self, mut shutdown: watch::Receiver<bool>) -> anyhow::Result<()> {
        loop {
            self = self.above_workers(&shutdown).await?;
            if *shutdown.borrow_and_update() {
                return Ok(());
            }
            let wait = self.until_wake();
            let reports = tokio::select! {
                reports = self.reports.next_batch(BATCH, wait) => {
                    reports.context("cannot read the reports")?
                }
                changed = shutdown.changed() => {
                    if changed.is_err() {
                        return Ok(());
                    }
                    continue;
                }
            };
            match self.decide_all(&reports, &shutdown).await? {
                Written::Done | Written::Never(_) => {}
                Written::TakeAnew => self = self.take_anew(0, &shutdown).await?,
            }
        }
    }

    /// The reports in their order, then the clock.
    async fn decide_all(
        &mut self,
        reports: &[Record],
        shutdown: &watch::Receiver<bool>,
    ) -> anyhow::Result<Written> {
        for report in reports {
            if let Written::TakeAnew = self.report(report, shutdown).await? {
                return Ok(Written::TakeAnew);
            }
        }
        for target in self.overdue() {
            if let Written::TakeAnew = self.clock(&target, shutdown).await? {
                return Ok(Written::TakeAnew);
            }
        }
        self.keep(shutdown).await
    }

    /// Keeps the states when enough has happened, for whoever takes the partition next.
    async fn keep(&mut self, shutdown: &watch::Receiver<bool>) -> anyhow::Result<Written> {
        if !self.subjects.want_keeping(self.settings.keep_every) {
            return Ok(Written::Done);
        }
        let partition = self.owner.partition();
        let Some(commit) = snapshot::commit(&self.bus, partition, &self.subjects).await? else {
            return Ok(Written::Done);
        };
        let records = commit.snapshots.len();
        let written = self.write(commit, shutdown).await?;
        match &written {
            Written::Done => {
                tracing::debug!(partition, records, "kept the states");
                self.subjects.kept();
            }
            Written::Never(why) => {
                tracing::warn!(partition, why, "the states cannot be kept");
                self.subjects.keep_later();
            }
            Written::TakeAnew => {}
        }
        Ok(written)
    }

    /// A worker has obeyed a higher epoch than ours, so the log is behind its fleet: the partition
    /// is taken anew above it.
    async fn above_workers(self, shutdown: &watch::Receiver<bool>) -> anyhow::Result<Self> {
        let seen = self
            .subjects
            .targets
            .values()
            .filter_map(|slot| slot.state.epoch_seen)
            .max();
        match seen {
            Some(seen) => self.take_anew(seen, shutdown).await,
            None => Ok(self),
        }
    }

    async fn take_anew(
        self,
        above: Epoch,
        shutdown: &watch::Receiver<bool>,
    ) -> anyhow::Result<Self> {
        let partition = self.owner.partition();
        let (bus, view, settings) = (self.bus, self.view, self.settings);
        Self::take(bus, view, settings, partition, above, shutdown.clone()).await
    }

    fn until_wake(&self) -> Duration {
        let wakes = self
            .subjects
            .targets
            .values()
            .filter(|slot| slot.stopped.is_none());
        let next = wakes.filter_map(|slot| wake_at(&slot.state)).min();
        next.map_or(IDLE, |next| Duration::from_millis(next.ms_since(now())))
            .min(IDLE)
    }

    fn overdue(&self) -> Vec<Target> {
        let now = now();
        let due = |state: &rollout::State| wake_at(state).is_some_and(|wake| wake <= now);
        let slots = self.subjects.targets.iter();
        slots
            .filter(|(_, slot)| slot.stopped.is_none() && due(&slot.state))
            .map(|(target, _)| target.clone())
            .collect()
    }

    /// Writes one decision: again and again while the disk is full, since nothing else may be
    /// decided before it. Answers have waited meanwhile in the stream, so after such a wait the
    /// partition is taken anew, which restarts the clocks: silence that is ours is no verdict.
    pub(crate) async fn write(
        &mut self,
        commit: bus::Commit,
        shutdown: &watch::Receiver<bool>,
    ) -> anyhow::Result<Written> {
        let partition = self.owner.partition();
        let mut waited = false;
        loop {
            let error = match self.owner.commit(commit.clone()).await {
                Ok(_) if waited => return Ok(Written::TakeAnew),
                Ok(committed) => {
                    self.subjects.appended(&committed.event_offsets);
                    return Ok(Written::Done);
                }
                Err(error) => error,
            };
            match error {
                bus::Error::Fenced { .. } | bus::Error::Closed => {
                    return Err(error)
                        .with_context(|| format!("partition {partition} is not ours any more"));
                }
                bus::Error::Silent { .. }
                | bus::Error::InDoubt { .. }
                | bus::Error::AlreadyConsumed { .. }
                | bus::Error::Storage { .. } => {
                    tracing::warn!(partition, %error, "takes the partition anew");
                    sleep(RETRY).await;
                    return Ok(Written::TakeAnew);
                }
                bus::Error::TooLarge { .. } => return Ok(Written::Never(error.to_string())),
                bus::Error::Full { .. }
                | bus::Error::OwnerOnly { .. }
                | bus::Error::UnknownPartition { .. }
                | bus::Error::NotCompacted { .. }
                | bus::Error::NeverExpires { .. }
                | bus::Error::BeyondEnd { .. }
                | bus::Error::EpochTooLow { .. }
                | bus::Error::InUse { .. }
                | bus::Error::NotOurs { .. }
                | bus::Error::TooNew { .. }
                | bus::Error::Damaged { .. }
                | bus::Error::Backup { .. }
                | bus::Error::Settings { .. }
                | bus::Error::NotEmpty { .. } => {
                    tracing::error!(partition, %error, "a decision cannot be written; trying again");
                }
            }
            if *shutdown.borrow() {
                return Err(error).context("stopped before a decision could be written");
            }
            waited = true;
            sleep(RETRY).await;
        }
    }
}

/// The owner's clock: the only one whose time counts.
pub(crate) fn now() -> Timestamp {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    Timestamp::from_ms(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}
