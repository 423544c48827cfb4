//! Gates: what a rollout waits for, and the votes on it.

use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::id::{PersonId, RolloutId};
use crate::open::open_enum;
use crate::time::Timestamp;

open_enum! {
    /// What a gate waits for.
    GateKind {
        /// Votes of people.
        Approval = "approval",
    }
}

/// What a rollout waits for before it starts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gate {
    /// Its id within the plan.
    pub id: String,
    /// What it waits for.
    pub kind: GateKind,
    /// How many votes.
    pub count: u32,
    /// Of people with one of these roles; none: of anybody who has a role.
    pub from: Vec<String>,
    /// When it expires.
    pub until: Timestamp,
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
