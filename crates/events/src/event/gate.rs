//! Gates: what a rollout waits for, and the votes on it.

use serde::{Deserialize, Serialize};

use crate::command::Release;
use crate::digest::Digest;
use crate::envelope::Actor;
use crate::id::{PersonId, ReportId, RolloutId};
use crate::name::Target;
use crate::open::open_enum;
use crate::time::Timestamp;

open_enum! {
    /// What a gate waits for.
    GateKind {
        /// Votes of people.
        Approval = "approval",
        /// The same release must have succeeded elsewhere.
        Promotion = "promotion",
        /// Hours in which rollouts may begin.
        Window = "window",
        /// The end of a freeze.
        Freeze = "freeze",
    }
}

/// What a rollout waits for before it starts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gate {
    /// Its id within the plan.
    pub id: String,
    /// What it waits for.
    pub kind: GateKind,
    /// How many votes; 0 where it does not wait for votes.
    pub count: u32,
    /// Of people with one of these roles; none: of anybody who has a role. Where it does not wait for
    /// votes: who may override it; none: nobody.
    pub from: Vec<String>,
    /// When it expires.
    pub until: Timestamp,
    /// What must have succeeded where.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub promotion: Option<Promotion>,
    /// The hours, as they were computed when the plan was made: nobody computes them again.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub windows: Vec<Window>,
}

/// The same release must have succeeded on another target not long before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Promotion {
    /// Where.
    pub from: Target,
    /// How long before, at most.
    pub within_ms: u64,
}

/// Hours in which rollouts may begin and batches be opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    /// From when on.
    pub opens_at: Timestamp,
    /// Until before when.
    pub closes_at: Timestamp,
}

impl Gate {
    /// Whether somebody with these roles may vote here.
    #[must_use]
    pub fn lets(&self, roles: &[String]) -> bool {
        let named = |role: &String| self.from.is_empty() || self.from.contains(role);
        roles.iter().any(named)
    }
}

/// Whose votes a gate's `from` asks for, in words.
#[must_use]
pub fn voters(from: &[String]) -> String {
    if from.is_empty() {
        "anybody with a role".to_owned()
    } else {
        from.join(" or ")
    }
}

/// The door a vote came through.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Via {
    /// `cli`, `slack`, `console`.
    pub kind: String,
    /// That door's own reference.
    pub reference: Option<String>,
}

/// A person said yes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApprovalGiven {
    /// Which rollout.
    pub rollout: RolloutId,
    /// Which gate.
    pub gate: String,
    /// To exactly this plan.
    pub digest: Digest,
    /// Who.
    pub person: PersonId,
    /// The person's roles.
    pub roles: Vec<String>,
    /// Digest of the policy that gave them.
    pub policy_sha256: Digest,
    /// Through which door.
    pub via: Via,
    /// Why.
    pub reason: Option<String>,
    /// Of which ticket.
    pub ticket: Option<String>,
    /// Until when it counts.
    pub expires_at: Timestamp,
}

open_enum! {
    /// Why a vote does not count.
    VoteRefusedBecause {
        /// No such rollout waits for votes.
        NotWaiting = "not_waiting",
        /// The plan has no such gate.
        NoSuchGate = "no_such_gate",
        /// The vote is about another plan.
        OtherPlan = "other_plan",
        /// The person asked for the rollout, or is said to be behind it.
        OwnRequest = "own_request",
        /// The person has none of the gate's roles.
        NotPermitted = "not_permitted",
        /// The person has voted.
        VotedBefore = "voted_before",
        /// The gate's time is over.
        Expired = "expired",
    }
}

/// A vote does not count.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApprovalRefused {
    /// Which rollout.
    pub rollout: RolloutId,
    /// Which gate.
    pub gate: String,
    /// Whose vote.
    pub person: PersonId,
    /// Why.
    pub why: VoteRefusedBecause,
}

/// A gate's time is over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApprovalExpired {
    /// Which rollout.
    pub rollout: RolloutId,
    /// Which gate.
    pub gate: String,
}

/// Every gate of a plan was open at the same moment: the rollout begins. Not written where votes
/// alone were waited for: then the last vote says it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GatesPassed {
    /// Which rollout.
    pub rollout: RolloutId,
    /// The success that it rests on.
    pub promoted_by: Option<RolloutId>,
    /// The hours that it began in.
    pub window: Option<Window>,
    /// Gates that a person had overridden.
    pub overridden: Vec<String>,
}

/// A rollout could go on, but for windows and freezes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GateAwaited {
    /// Which rollout.
    pub rollout: RolloutId,
    /// When it may go on, as far as is known now; none: not within the plan.
    pub opens_at: Option<Timestamp>,
}

/// A permitted person let a rollout pass a gate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GateOverridden {
    /// Which rollout.
    pub rollout: RolloutId,
    /// Which gate: `window`, `freeze` or `promotion`.
    pub gate: String,
    /// Of exactly this plan.
    pub digest: Digest,
    /// Who.
    pub person: PersonId,
    /// The person's roles.
    pub roles: Vec<String>,
    /// Digest of the policy that gave them.
    pub policy_sha256: Digest,
    /// Through which door.
    pub via: Via,
    /// Why.
    pub reason: String,
    /// Of which ticket.
    pub ticket: Option<String>,
}

/// A gate stays: who wanted it overridden may not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OverrideRefused {
    /// Which rollout.
    pub rollout: RolloutId,
    /// Which gate.
    pub gate: String,
    /// Whose word.
    pub person: PersonId,
    /// Why.
    pub why: VoteRefusedBecause,
}

/// Nothing begins on this target for a while.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FreezeSet {
    /// Its id: the report that asked for it.
    pub freeze: ReportId,
    /// From when on.
    pub from: Timestamp,
    /// Until before when.
    pub until: Timestamp,
    /// Who says so.
    pub by: Actor,
    /// Why.
    pub reason: String,
}

/// A freeze counts no more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FreezeLifted {
    /// Which.
    pub freeze: ReportId,
    /// Who says so.
    pub by: Actor,
    /// Why.
    pub reason: String,
}

/// A release succeeded on another target of the same service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PromotionSeen {
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
