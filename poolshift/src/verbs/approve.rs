//! `poolshift approve`.

use events::{ApprovalGiven, ApprovalRefused, Digest, Target, VoteRefusedBecause};
use serde::Serialize;
use view::{GateView, RolloutView};

use crate::api::{self, Shown};
use crate::cli::Approve;
use crate::client::Client;
use crate::exit;
use crate::failure::Failure;
use crate::said::{self, Said};

const REFUSED: &str = "poolshift.approval-refused";
const GIVEN: &str = "poolshift.approval-given";

#[derive(Serialize)]
struct Vote<'a> {
    person: &'a str,
    digest: Digest,
    gate: &'a str,
    reason: Option<&'a str>,
    ticket: Option<&'a str>,
}

#[derive(Serialize)]
struct Approved<'a> {
    rollout: String,
    gate: &'a str,
    digest: Digest,
    person: String,
    given: usize,
    wanted: u32,
}

/// Shows what is approved, votes, and waits until the vote counts or is refused.
pub(crate) async fn run(client: &Client, approve: Approve, json: bool) -> anyhow::Result<Said> {
    let rollout = api::rollout(client, &approve.rollout.rollout).await?;
    let gate = gate(&rollout, approve.gate.as_deref())?.clone();
    let shown = rollout.plan_digest.ok_or_else(|| {
        Failure::refused("the rollout has no plan yet").mend("try again in a moment")
    })?;
    let digest = approve.digest.unwrap_or(shown);
    if !json {
        said::line(&plan(&rollout, &gate, digest))?;
    }
    let vote = Vote {
        person: &approve.person,
        digest,
        gate: &gate.id,
        reason: approve.reason.as_deref(),
        ticket: approve.ticket.as_deref(),
    };
    let before = api::target(client, &rollout.target).await?;
    let path = format!("/rollouts/{}/votes", rollout.id);
    let known = (&rollout.target, before.as_of.n);
    let (_, seen) = api::say(client, known, &path, &vote).await?;
    let given = outcome(seen, &approve.person)?;
    let votes = votes(client, &rollout.target, before.as_of.n, &given, &gate).await?;
    let approved = Approved {
        rollout: rollout.id.to_string(),
        gate: &gate.id,
        digest,
        person: given.person.to_string(),
        given: votes,
        wanted: gate.count,
    };
    Said::either(json, &approved, || {
        format!(
            "approved by {}: {votes} of {} votes",
            approve.person, gate.count
        )
    })
}

fn gate<'a>(rollout: &'a RolloutView, named: Option<&str>) -> Result<&'a GateView, Failure> {
    if let Some(outcome) = &rollout.outcome {
        return Err(Failure::refused(format!(
            "rollout {} is over: {outcome}",
            rollout.id
        )));
    }
    let voted_on = || rollout.gates.iter().filter(|gate| gate.count > 0);
    if voted_on().next().is_none() {
        return Err(
            Failure::refused(format!("rollout {} waits for no approval", rollout.id))
                .mend("`poolshift status` shows what it waits for"),
        );
    }
    let lacks =
        |gate: &&GateView| usize::try_from(gate.count).is_ok_and(|count| gate.votes.len() < count);
    let found = match named {
        Some(named) => voted_on().find(|gate| gate.id == named),
        None => voted_on().find(lacks).or(voted_on().next()),
    };
    let known: Vec<&str> = voted_on().map(|gate| gate.id.as_str()).collect();
    found.ok_or_else(|| {
        Failure::refused("the plan has no such gate").note("known", known.join(", "))
    })
}

fn plan(rollout: &RolloutView, gate: &GateView, digest: Digest) -> String {
    let batches: Vec<String> = rollout
        .batches
        .iter()
        .map(|batch| {
            let names: Vec<&str> = batch.iter().map(|name| name.as_str()).collect();
            names.join(" ")
        })
        .collect();
    let floor = rollout
        .floor
        .map_or(String::new(), |floor| format!(", floor {floor}"));
    let no_way_back: Vec<&str> = rollout
        .no_way_back
        .iter()
        .map(|name| name.as_str())
        .collect();
    let mut text = format!(
        "rollout {}\n  {} to {}, artifact {}\n  batches: {}{floor}\n  plan {digest}\n  gate {}: {} of {} votes, of {}",
        rollout.id,
        rollout.version,
        rollout.target,
        rollout.sha256,
        batches.join(" | "),
        gate.id,
        gate.votes.len(),
        gate.count,
        events::voters(&gate.from),
    );
    if !no_way_back.is_empty() {
        text += &format!("\n  NO WAY BACK for {}", no_way_back.join(", "));
    }
    text
}

/// What came of the vote.
fn outcome(seen: Option<Shown>, person: &str) -> Result<ApprovalGiven, Failure> {
    let Some(seen) = seen else {
        return Err(Failure::new(
            exit::NOT_SEEN,
            format!("the vote of {person} changed nothing"),
        )
        .mend("it counts already if they have voted before; see `poolshift status`"));
    };
    let body = seen.body.get();
    let unreadable = |error: serde_json::Error| {
        Failure::refused(format!("event {} cannot be read: {error}", seen.n))
            .mend("use a poolshift of the same version as the server")
    };
    if seen.kind == REFUSED {
        let refused: ApprovalRefused = serde_json::from_str(body).map_err(unreadable)?;
        return Err(
            Failure::refused(format!("the vote of {person} is refused: {}", refused.why))
                .mend(mend(&refused.why)),
        );
    }
    serde_json::from_str(body).map_err(unreadable)
}

/// How many votes the gate has with this one.
async fn votes(
    client: &Client,
    target: &Target,
    after: u64,
    given: &ApprovalGiven,
    gate: &GateView,
) -> Result<usize, Failure> {
    let events = api::events_after(client, target, after).await?;
    let new = events.iter().filter(|shown| {
        shown.kind == GIVEN
            && serde_json::from_str::<ApprovalGiven>(shown.body.get())
                .is_ok_and(|other| other.rollout == given.rollout && other.gate == given.gate)
    });
    Ok(gate.votes.len() + new.count())
}

const fn mend(why: &VoteRefusedBecause) -> &'static str {
    match why {
        VoteRefusedBecause::NotWaiting => "it waits for no votes; see `poolshift status`",
        VoteRefusedBecause::NoSuchGate => "name a gate of the plan: --gate",
        VoteRefusedBecause::OtherPlan => "look at the plan as it is now, then approve that",
        VoteRefusedBecause::OwnRequest => "somebody else must: nobody approves their own request",
        VoteRefusedBecause::NotPermitted => "somebody with a role of the gate must",
        VoteRefusedBecause::VotedBefore => "the first vote counts; nothing is to be done",
        VoteRefusedBecause::Expired => "start the rollout again: its time for votes is over",
        VoteRefusedBecause::Other(_) => "use a poolshift of the same version as the server",
    }
}
