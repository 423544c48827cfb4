use std::time::Duration;

use crate::kafka::Members;
use crate::{Error, PARTITIONS};

/// Which partitions this process should own. See [`Bus::membership`](crate::Bus::membership).
///
/// It is a hint, never the right: only [`Bus::own`](crate::Bus::own) fences others.
#[derive(Debug)]
pub struct Membership {
    source: Source,
}

#[derive(Debug)]
enum Source {
    /// Nobody else is there.
    Alone(Alone),
    Kafka(Members),
}

/// What has changed.
#[derive(Debug)]
pub enum Change {
    /// These are to be taken now.
    Assigned(Vec<u32>),
    /// These are to be let go of: end what runs there, then acknowledge.
    Revoked(Revoked),
}

/// Partitions that go to others, who wait for the acknowledgement, but not for long.
#[derive(Debug)]
pub struct Revoked {
    partitions: Vec<u32>,
    lost: bool,
    /// Closed when this is dropped, which is the acknowledgement.
    _held: Option<tokio::sync::oneshot::Sender<()>>,
}

impl Revoked {
    pub(crate) fn new(
        partitions: Vec<u32>,
        lost: bool,
        held: Option<tokio::sync::oneshot::Sender<()>>,
    ) -> Self {
        Self {
            partitions,
            lost,
            _held: held,
        }
    }

    /// Which ones.
    #[must_use]
    pub fn partitions(&self) -> &[u32] {
        &self.partitions
    }

    /// Whether others may own them already, because we were silent for too long: then nothing can
    /// be finished there, and nobody waits.
    #[must_use]
    pub fn is_lost(&self) -> bool {
        self.lost
    }

    /// All that ran there has ended. Dropping says the same.
    pub fn acknowledge(self) {
        drop(self);
    }
}

impl Membership {
    pub(crate) fn alone() -> Self {
        Self {
            source: Source::Alone(Alone::default()),
        }
    }

    pub(crate) fn kafka(members: Members) -> Self {
        Self {
            source: Source::Kafka(members),
        }
    }

    /// The next change; `None` when this process has left. Where it is alone it gets every
    /// partition at once and keeps them. Dropping the call loses nothing.
    ///
    /// # Errors
    /// [`Error::Storage`] when the brokers refuse us for good, such as a session shorter than they
    /// allow: the process must end.
    pub async fn next(&mut self) -> Result<Option<Change>, Error> {
        match &mut self.source {
            Source::Alone(alone) => Ok(alone.next().await),
            Source::Kafka(members) => members.next().await,
        }
    }

    /// Asks to be let go: [`Membership::next`] then gives what is to be ended, and at last `None`.
    pub fn leave(&mut self) {
        match &mut self.source {
            Source::Alone(alone) => alone.leaves = true,
            Source::Kafka(members) => members.leave(),
        }
    }
}

#[derive(Debug, Default)]
struct Alone {
    assigned: bool,
    leaves: bool,
}

impl Alone {
    async fn next(&mut self) -> Option<Change> {
        if self.leaves {
            let had = std::mem::take(&mut self.assigned);
            return had.then(|| {
                let all = (0..PARTITIONS).collect();
                Change::Revoked(Revoked::new(all, false, None))
            });
        }
        if !std::mem::replace(&mut self.assigned, true) {
            return Some(Change::Assigned((0..PARTITIONS).collect()));
        }
        // Nothing changes any more. A timer of its own needs no other runtime than the caller's.
        loop {
            tokio::time::sleep(Duration::MAX).await;
        }
    }
}
