//! Votes: a vote counts only from a permitted person who is not behind the request, in time, for
//! exactly this plan, once.

use events::{
    ApprovalGiven, ApprovalRefused, CastVote, Event, Gate, GateKind, Timestamp, VoteRefusedBecause,
};

use super::{Heard, Reply};
use crate::gate;
use crate::rules::Rule;
use crate::state::{Phase, Rollout, State};

pub(super) fn vote(state: &State, heard: &Heard, vote: &CastVote, at: Timestamp) -> Reply {
    if state.heard.contains_key(&heard.id) {
        return Reply::default();
    }
    let rollout = state
        .rollout
        .as_ref()
        .filter(|rollout| rollout.id() == vote.rollout);
    let Some(rollout) = rollout else {
        return refuse(vote, VoteRefusedBecause::NotWaiting).into();
    };
    let mut gates = rollout.plan.gates.iter();
    let asked = gates.find(|gate| gate.id == vote.gate && gate.kind == GateKind::Approval);
    let Some(gate) = asked else {
        return refuse(vote, VoteRefusedBecause::NoSuchGate).into();
    };
    match objection(state, rollout, gate, vote, at) {
        Some(VoteRefusedBecause::VotedBefore) => Reply::default(),
        Some(why) => refuse(vote, why).into(),
        None => Event::from(ApprovalGiven {
            rollout: vote.rollout,
            gate: vote.gate.clone(),
            digest: vote.digest,
            person: vote.person.clone(),
            roles: vote.roles.clone(),
            policy_sha256: vote.policy_sha256,
            via: vote.via.clone(),
            reason: vote.reason.clone(),
            ticket: vote.ticket.clone(),
            expires_at: gate::until(rollout, gate),
        })
        .into(),
    }
}

fn objection(
    state: &State,
    rollout: &Rollout,
    gate: &Gate,
    vote: &CastVote,
    at: Timestamp,
) -> Option<VoteRefusedBecause> {
    let rules = state.rules;
    let same_plan = vote.digest == rollout.digest || !rules.hold(Rule::VoteNamesPlan);
    let own =
        rollout.parties().contains(vote.person.as_str()) && rules.hold(Rule::RequesterMayNotVote);
    let voted = |other: &crate::state::Vote| other.gate == gate.id && other.person == vote.person;
    if rollout.votes.iter().any(voted) {
        return Some(VoteRefusedBecause::VotedBefore);
    }
    if rollout.phase != Phase::Gates {
        return Some(VoteRefusedBecause::NotWaiting);
    }
    if at >= gate::until(rollout, gate) {
        return Some(VoteRefusedBecause::Expired);
    }
    if !same_plan {
        return Some(VoteRefusedBecause::OtherPlan);
    }
    if own {
        return Some(VoteRefusedBecause::OwnRequest);
    }
    if !gate.lets(&vote.roles) {
        return Some(VoteRefusedBecause::NotPermitted);
    }
    None
}

fn refuse(vote: &CastVote, why: VoteRefusedBecause) -> Event {
    ApprovalRefused {
        rollout: vote.rollout,
        gate: vote.gate.clone(),
        person: vote.person.clone(),
        why,
    }
    .into()
}
