//! Where one server is in a rollout.

use serde::{Deserialize, Serialize};

use crate::step::{Step, Way};

/// Where a server is in a rollout.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Stage {
    /// Online on its old version, not taken on yet.
    Waiting,
    /// On its way.
    At(Way, Step),
    /// Being put back as it is.
    PutBack(After),
    /// It failed; held when unproven.
    Failed,
    /// Online on the new version.
    Done,
    /// Online on the new version, to be taken back.
    BackWaiting,
    /// As it was before the rollout.
    Returned,
    /// Stays on the new version, proven.
    Kept,
    /// Takes no part.
    Excluded,
}

/// What becomes of a server that has been put back as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum After {
    /// It waits again, behind the others.
    Requeue,
    /// It has failed.
    Fail,
    /// It is as it was.
    Return,
    /// It stays on the new version, and is tried once more behind the others.
    RequeueBack,
    /// It stays on the new version.
    Keep,
}

impl Stage {
    /// Whether its server is on the way somewhere: something is or will be commanded.
    #[must_use]
    pub const fn is_moving(self) -> bool {
        match self {
            Self::At(_, step) => !matches!(step, Step::Fetch),
            Self::PutBack(_) => true,
            Self::Waiting
            | Self::Failed
            | Self::Done
            | Self::BackWaiting
            | Self::Returned
            | Self::Kept
            | Self::Excluded => false,
        }
    }
}
