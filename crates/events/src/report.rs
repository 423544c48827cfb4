//! Reports: what somebody says. A report is a request, a vote, or a worker's answer; what is so
//! is decided by the orchestrator alone.

use serde::{Deserialize, Serialize};

use crate::answer::Answer;
use crate::command::Release;
use crate::digest::Digest;
use crate::envelope::Actor;
use crate::event::{Build, Change, Claim, Commit, RequestedArtifact, RequestedTests, Trust, Via};
use crate::id::{PersonId, ReportId, RolloutId};
use crate::name::{MachineName, ServerName, Target, Version};
use crate::open::open_enum;
use crate::payload::{Unreadable, payloads};
use crate::time::Timestamp;

payloads! {
    /// What people and build servers ask for.
    Ask {
        /// A catalogue entry.
        DefineService = "poolshift.ask.define-service" v 1,
        /// A rollout.
        RequestRollout = "poolshift.ask.rollout" v 1,
        /// A vote on a gate.
        CastVote = "poolshift.ask.vote" v 1,
        /// Steer a rollout.
        Steer = "poolshift.ask.steer" v 1,
        /// A server takes no further part in a rollout.
        ExcludeServer = "poolshift.ask.exclude-server" v 1,
        /// Let go of a stuck or left server.
        ReleaseServer = "poolshift.ask.release-server" v 1,
        /// Record what runs on a server that Poolshift has never installed.
        Adopt = "poolshift.ask.adopt" v 1,
        /// A rollout that waits takes the servers of a halted one over.
        SupersedeHalted = "poolshift.ask.supersede-halted" v 1,
        /// Let a rollout pass a gate.
        OverrideGate = "poolshift.ask.override-gate" v 1,
        /// Begin nothing for a while.
        SetFreeze = "poolshift.ask.set-freeze" v 1,
        /// A freeze counts no more.
        LiftFreeze = "poolshift.ask.lift-freeze" v 1,
        /// The owner of another target of the same service: a release succeeded there.
        ReportPromotion = "poolshift.ask.promotion" v 1,
        /// An agent shows its key and a code.
        EnrolAgent = "poolshift.ask.enrol-agent" v 1,
        /// An agent's key counts no more.
        RevokeAgent = "poolshift.ask.revoke-agent" v 1,
    }
}

/// What stands in the stream of reports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Report {
    /// Somebody asks.
    Ask(Ask),
    /// A worker answers.
    Answer(Answer),
}

impl Report {
    /// The wire name.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Ask(ask) => ask.kind(),
            Self::Answer(answer) => answer.kind(),
        }
    }

    /// The version of the wire type.
    #[must_use]
    pub const fn version(&self) -> u16 {
        match self {
            Self::Ask(ask) => ask.version(),
            Self::Answer(answer) => answer.version(),
        }
    }

    /// The body as it is stored.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        match self {
            Self::Ask(ask) => ask.to_bytes(),
            Self::Answer(answer) => answer.to_bytes(),
        }
    }

    /// Reads a stored body.
    ///
    /// # Errors
    /// [`Unreadable`] when the type is not known here or the body does not fit it.
    pub fn from_bytes(kind: &str, version: u16, bytes: &[u8]) -> Result<Self, Unreadable> {
        match Answer::from_bytes(kind, version, bytes) {
            Err(Unreadable::Newer { .. }) => Ask::from_bytes(kind, version, bytes).map(Self::Ask),
            other => other.map(Self::Answer),
        }
    }
}

impl<T: Into<Ask>> From<T> for Report {
    fn from(ask: T) -> Self {
        Self::Ask(ask.into())
    }
}

impl From<Answer> for Report {
    fn from(answer: Answer) -> Self {
        Self::Answer(answer)
    }
}

/// A catalogue entry for one target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DefineService {
    /// The file's text, as it is.
    pub entry: String,
}

/// A rollout is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestRollout {
    /// Its id.
    pub rollout: RolloutId,
    /// The key it was made from.
    pub key: String,
    /// Through which door it came: `jenkins`, `cli`.
    pub sender: String,
    /// The version.
    pub version: Version,
    /// What to install.
    pub artifact: RequestedArtifact,
    /// The package that its suites are run from; none: they lie in the artifact itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tests: Option<Box<RequestedTests>>,
    /// Who asks, as far as proven.
    pub requested_by: Actor,
    /// Whether `requested_by` is proven.
    pub proven: bool,
    /// Who else is behind it, by their own words.
    pub claims: Vec<Claim>,
    /// The build.
    pub build: Option<Build>,
    /// The commit.
    pub commit: Option<Commit>,
    /// The change.
    pub change: Option<Change>,
    /// How far the door is trusted.
    pub trust: Trust,
}

impl RequestRollout {
    /// Digest of what is asked for: the same key with another one is another request.
    #[must_use]
    pub fn content(&self) -> Digest {
        let content = (&self.version, &self.artifact.sha256, &self.artifact.url);
        let bytes = match &self.tests {
            None => crate::payload::write(&content),
            Some(tests) => crate::payload::write(&(content, tests)),
        };
        crate::digest::sha256(&bytes)
    }
}

/// A vote on a gate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CastVote {
    /// Which rollout.
    pub rollout: RolloutId,
    /// Which gate of its plan.
    pub gate: String,
    /// The digest of the plan that the person saw.
    pub digest: Digest,
    /// Who votes.
    pub person: PersonId,
    /// The person's roles under that policy.
    pub roles: Vec<String>,
    /// Digest of the policy file that says so.
    pub policy_sha256: Digest,
    /// Through which door.
    pub via: Via,
    /// Why.
    pub reason: Option<String>,
    /// Of which ticket.
    pub ticket: Option<String>,
}

open_enum! {
    /// What a person wants of a rollout.
    Wish {
        /// Open no new batch.
        Pause = "pause",
        /// Go on after a pause.
        Resume = "resume",
        /// Stop and go back.
        Abort = "abort",
        /// Try again what failed.
        Retry = "retry",
    }
}

/// Steer a rollout. Names the rollout it is about, so that a late word never hits the next one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Steer {
    /// Which rollout.
    pub rollout: RolloutId,
    /// What is wanted.
    pub wish: Wish,
    /// Why.
    pub reason: String,
}

/// A rollout that waits takes the servers of a halted one over: the halted one ends as it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SupersedeHalted {
    /// The halted one.
    pub rollout: RolloutId,
    /// The one that waits.
    pub successor: RolloutId,
    /// Why.
    pub reason: String,
}

/// A server takes no further part in a rollout. Names the rollout, as [`Steer`] does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExcludeServer {
    /// Of which rollout.
    pub rollout: RolloutId,
    /// Which server.
    pub server: ServerName,
    /// Why.
    pub reason: String,
}

/// Let a rollout pass a gate that does not wait for votes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OverrideGate {
    /// Which rollout.
    pub rollout: RolloutId,
    /// Which gate: `window`, `freeze` or `promotion`.
    pub gate: String,
    /// The digest of the plan that the person saw.
    pub digest: Digest,
    /// Who says so.
    pub person: PersonId,
    /// The person's roles under that policy.
    pub roles: Vec<String>,
    /// Digest of the policy file that says so.
    pub policy_sha256: Digest,
    /// Through which door.
    pub via: Via,
    /// Why.
    pub reason: String,
    /// Of which ticket.
    pub ticket: Option<String>,
}

/// Begin nothing on a target for a while: no rollout, no batch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SetFreeze {
    /// From when on; none: at once.
    pub from: Option<Timestamp>,
    /// Until before when.
    pub until: Timestamp,
    /// Why.
    pub reason: String,
}

/// Freezes count no more. Names them, so that a late word never lifts a later one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LiftFreeze {
    /// Which.
    pub freezes: Vec<ReportId>,
    /// Why.
    pub reason: String,
}

/// A release succeeded on another target of the same service. Only an orchestrator says so, in the
/// transaction that says it there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReportPromotion {
    /// Where.
    pub from: Target,
    /// By which rollout.
    pub rollout: RolloutId,
    /// Number of the event there that says so.
    pub n: u64,
    /// What.
    pub release: Release,
    /// When, by that target's owner.
    pub succeeded_at: Timestamp,
}

/// Let go of a stuck or left server: a person has looked, and takes it on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReleaseServer {
    /// Which server.
    pub server: ServerName,
    /// The rollout that set it aside, as the person saw: a late word must not let go of a server
    /// that a later rollout set aside.
    pub since: RolloutId,
    /// Why.
    pub reason: String,
}

/// Record what runs on a server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Adopt {
    /// Which server.
    pub server: ServerName,
    /// What runs there.
    pub release: Release,
}

/// An agent shows its key and the code it was given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EnrolAgent {
    /// Which machine.
    pub machine: MachineName,
    /// Its Ed25519 public key, base64.
    pub public_key: String,
}

/// An agent's key counts no more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RevokeAgent {
    /// Which machine.
    pub machine: MachineName,
    /// Why.
    pub reason: String,
}
