//! The view itself, in memory.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use events::{Digest, MachineName, RolloutId, Target, Timestamp};

use crate::keys::{Claimed, Keys};
use crate::limits::{Limit, Limits, Taken};
use crate::machine::MachineView;
use crate::presence::Presence;
use crate::rollout::RolloutView;
use crate::shelf::{Kept, Shelf};
use crate::target::TargetView;

/// The documents and what else may be forgotten. Clones share them.
#[derive(Debug, Clone)]
pub struct View {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    complete: AtomicBool,
    targets: Shelf<Target, TargetView>,
    rollouts: Shelf<RolloutId, RolloutView>,
    machines: Shelf<MachineName, MachineView>,
    keys: Mutex<Keys>,
    limits: Mutex<Limits>,
    presence: Mutex<Presence>,
}

impl View {
    /// An empty one.
    #[must_use]
    pub fn in_memory() -> Self {
        Self {
            inner: Arc::new(Inner {
                complete: AtomicBool::new(false),
                targets: Shelf::new(),
                rollouts: Shelf::new(),
                machines: Shelf::new(),
                keys: Mutex::default(),
                limits: Mutex::default(),
                presence: Mutex::default(),
            }),
        }
    }

    /// Says that every document the log knows of has been put once. Until then a reader cannot
    /// tell what does not exist from what is not there yet, and should answer "not ready".
    pub fn set_complete(&self) {
        self.inner.complete.store(true, Ordering::Release);
    }

    /// Whether [`View::set_complete`] was said.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.inner.complete.load(Ordering::Acquire)
    }

    /// Puts a target's document; wakes who waits for it if its content changed.
    pub fn put_target(&self, document: TargetView) {
        self.inner.targets.put(document.target.clone(), document);
    }

    /// A target's document.
    #[must_use]
    pub fn target(&self, target: &Target) -> Option<Kept<TargetView>> {
        self.inner.targets.get(target)
    }

    /// All targets, by name.
    #[must_use]
    pub fn targets(&self) -> Vec<Kept<TargetView>> {
        self.inner.targets.all()
    }

    /// A target's document as soon as its [`Etag`](crate::Etag) is not `known`, or as it is after
    /// `wait`; `None` when there is none by then.
    pub async fn target_changed(
        &self,
        target: &Target,
        known: Option<&str>,
        wait: Duration,
    ) -> Option<Kept<TargetView>> {
        self.inner.targets.changed(target, known, wait).await
    }

    /// Puts a rollout's document; wakes who waits for it if its content changed.
    pub fn put_rollout(&self, document: RolloutView) {
        self.inner.rollouts.put(document.id, document);
    }

    /// Notes a rollout whose request is durable, unless it is known already, and gives what is
    /// there then. Never takes the place of what the orchestrator wrote.
    pub fn accept(&self, document: RolloutView) -> Kept<RolloutView> {
        self.inner.rollouts.put_if_absent(document.id, document)
    }

    /// A rollout's document.
    #[must_use]
    pub fn rollout(&self, id: RolloutId) -> Option<Kept<RolloutView>> {
        self.inner.rollouts.get(&id)
    }

    /// All rollouts, of one target or of all, the newest first.
    #[must_use]
    pub fn rollouts(&self, target: Option<&Target>) -> Vec<Kept<RolloutView>> {
        let mut all = self.inner.rollouts.all();
        all.retain(|kept| target.is_none_or(|target| kept.document.target == *target));
        all.sort_by_key(|kept| std::cmp::Reverse(kept.document.created_at));
        all
    }

    /// As [`View::target_changed`], for a rollout.
    pub async fn rollout_changed(
        &self,
        id: RolloutId,
        known: Option<&str>,
        wait: Duration,
    ) -> Option<Kept<RolloutView>> {
        self.inner.rollouts.changed(&id, known, wait).await
    }

    /// Puts a machine's document; wakes who waits for it if its content changed.
    pub fn put_machine(&self, document: MachineView) {
        self.inner.machines.put(document.machine.clone(), document);
    }

    /// A machine's document.
    #[must_use]
    pub fn machine(&self, machine: &MachineName) -> Option<Kept<MachineView>> {
        self.inner.machines.get(machine)
    }

    /// All machines, by name.
    #[must_use]
    pub fn machines(&self) -> Vec<Kept<MachineView>> {
        self.inner.machines.all()
    }

    /// As [`View::target_changed`], for a machine.
    pub async fn machine_changed(
        &self,
        machine: &MachineName,
        known: Option<&str>,
        wait: Duration,
    ) -> Option<Kept<MachineView>> {
        self.inner.machines.changed(machine, known, wait).await
    }

    /// Notes that a machine's agent was there.
    pub fn seen(&self, machine: &MachineName, now: Timestamp) {
        lock(&self.inner.presence).seen(machine.clone(), now, None);
    }

    /// As [`View::seen`], in this version.
    pub fn seen_in(&self, machine: &MachineName, now: Timestamp, version: &str) {
        lock(&self.inner.presence).seen(machine.clone(), now, Some(version));
    }

    /// In which version a machine's agent was there last.
    #[must_use]
    pub fn agent_version(&self, machine: &MachineName) -> Option<String> {
        lock(&self.inner.presence).version(machine)
    }

    /// When a machine's agent was there last.
    #[must_use]
    pub fn last_seen(&self, machine: &MachineName) -> Option<Timestamp> {
        lock(&self.inner.presence).last_seen(machine)
    }

    /// How many agents were there since then.
    #[must_use]
    pub fn agents_since(&self, since: Timestamp) -> usize {
        lock(&self.inner.presence).count_since(since)
    }

    /// Claims a rollout id for this content, for 30 days: the same key with other content is
    /// another request.
    pub fn claim(&self, id: RolloutId, content: Digest, now: Timestamp) -> Claimed {
        lock(&self.inner.keys).claim(id, content, now)
    }

    /// Gives a claim back: its request never became durable.
    pub fn release(&self, id: RolloutId) {
        lock(&self.inner.keys).release(id);
    }

    /// Takes one token from the bucket `key`.
    pub fn take(&self, key: &str, limit: Limit, now: Timestamp) -> Taken {
        lock(&self.inner.limits).take(key, limit, now)
    }
}

/// A panic of another holder leaves nothing half done: every change is one step on a map.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
