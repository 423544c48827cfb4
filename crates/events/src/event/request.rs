//! A rollout is asked for: who wants what, and whether it waits.

use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::envelope::Actor;
use crate::id::{PersonId, RolloutId};
use crate::name::Version;
use crate::open::open_enum;
use crate::time::Timestamp;

/// An artifact as it was asked for. The query of its URL may hold a secret: the log keeps its
/// digest only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestedArtifact {
    /// Where it lies; none: where the catalogue's pattern says.
    pub url: Option<String>,
    /// What it must hash to.
    pub sha256: Digest,
}

/// A package of test suites that comes with an artifact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestedTests {
    /// Where it lies.
    pub url: String,
    /// What it must hash to.
    pub sha256: Digest,
}

/// The build that made an artifact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Build {
    /// Which build server.
    pub controller: String,
    /// Which job.
    pub job: String,
    /// Which run of it.
    pub number: u64,
    /// Where to read about it.
    pub url: Option<String>,
}

/// The commit that an artifact was made from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Commit {
    /// Which repository.
    pub repo: String,
    /// Which commit.
    pub sha: String,
    /// When.
    pub committed_at: Option<Timestamp>,
}

/// Why a change is made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// The ticket.
    pub ticket: Option<String>,
    /// The reason.
    pub reason: Option<String>,
}

/// Somebody who is said to be behind a request.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Claim {
    /// The person, where the claimed name is known.
    pub person: Option<PersonId>,
    /// Digest of the name that was claimed: a name itself never stands in the log.
    pub name_sha256: Digest,
}

open_enum! {
    /// How far a door is trusted.
    Trust {
        /// It proves who asks.
        Full = "full",
        /// It does not.
        Low = "low",
    }
}

/// A rollout was asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RolloutRequested {
    /// Its id.
    pub rollout: RolloutId,
    /// The key it was made from.
    pub key: String,
    /// Through which door it came.
    pub sender: String,
    /// Digest of the catalogue entry of that moment.
    pub entry_sha256: Digest,
    /// The version.
    pub version: Version,
    /// What to install.
    pub artifact: RequestedArtifact,
    /// The package that its suites are run from; none: they lie in the artifact itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tests: Option<Box<RequestedTests>>,
    /// Who asks.
    pub requested_by: Actor,
    /// Whether that is proven.
    pub proven: bool,
    /// Who else is said to be behind it.
    pub claims: Vec<Claim>,
    /// The build.
    pub build: Option<Build>,
    /// The commit.
    pub commit: Option<Commit>,
    /// The change.
    pub change: Option<Change>,
    /// How far the door is trusted.
    pub trust: Trust,
    /// Digest of what was asked for.
    pub content: Digest,
}

open_enum! {
    /// Why a rollout will not be done.
    RejectedBecause {
        /// The target has no catalogue entry.
        NoService = "no_service",
        /// A newer build of the same source ran, runs or waits.
        Outdated = "outdated",
        /// The same key was used for something else.
        KeyReused = "key_reused",
        /// Too many requests wait.
        QueueFull = "queue_full",
        /// It could not be taken back, and the entry refuses that.
        NoWayBack = "no_way_back",
        /// A package of suites came with it, and the entry has no suites.
        NoSuites = "no_suites",
        /// The entry asks for something that cannot be planned.
        NotPlannable = "not_plannable",
    }
}

/// A rollout will not be done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RolloutRejected {
    /// Which rollout.
    pub rollout: RolloutId,
    /// Why.
    pub reason: RejectedBecause,
    /// What a person needs to know.
    pub detail: String,
}

/// A rollout waits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Queued {
    /// Which rollout.
    pub rollout: RolloutId,
    /// For which one.
    pub behind: RolloutId,
    /// Until when it holds its place.
    pub until: Timestamp,
}

/// A waiting rollout lost its place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Superseded {
    /// Which rollout.
    pub rollout: RolloutId,
    /// To which one.
    pub by: RolloutId,
}
