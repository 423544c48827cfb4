//! `poolshift override`.

use events::{Digest, OverrideRefused, RolloutId, VoteRefusedBecause};
use serde::Serialize;

use crate::api;
use crate::cli::Override;
use crate::client::Client;
use crate::failure::Failure;
use crate::said::Said;

const REFUSED: &str = "poolshift.override-refused";

#[derive(Serialize)]
struct Word<'a> {
    person: &'a str,
    digest: Digest,
    gate: &'a str,
    reason: &'a str,
    ticket: Option<&'a str>,
}

#[derive(Serialize)]
struct Overridden<'a> {
    rollout: RolloutId,
    gate: &'a str,
    digest: Digest,
}

/// Says it, and waits until it counts or is refused.
pub(crate) async fn run(client: &Client, asked: Override, json: bool) -> anyhow::Result<Said> {
    let rollout = api::rollout(client, &asked.rollout.rollout).await?;
    if let Some(outcome) = rollout.outcome {
        return Err(Failure::refused(format!("rollout {} is over: {outcome}", rollout.id)).into());
    }
    let digest = rollout.plan_digest.ok_or_else(|| {
        Failure::refused("the rollout has no plan yet: it waits for its turn")
            .mend("`poolshift status` shows for what")
    })?;
    let word = Word {
        person: &asked.person,
        digest,
        gate: &asked.gate,
        reason: &asked.reason,
        ticket: asked.ticket.as_deref(),
    };
    let before = api::target(client, &rollout.target).await?;
    let path = format!("/rollouts/{}/overrides", rollout.id);
    let known = (&rollout.target, before.as_of.n);
    let (report, seen) = api::say(client, known, &path, &word).await?;
    let Some(seen) = seen else {
        let what = format!("the {} of rollout {} stays", asked.gate, rollout.id);
        return Err(api::nothing_changed(&what, report).into());
    };
    if seen.kind == REFUSED {
        let refused: OverrideRefused = serde_json::from_str(seen.body.get())?;
        let what = format!("{} may not override it: {}", asked.person, refused.why);
        return Err(Failure::refused(what).mend(mend(&refused.why)).into());
    }
    let overridden = Overridden {
        rollout: rollout.id,
        gate: &asked.gate,
        digest,
    };
    Said::either(json, &overridden, || {
        format!(
            "rollout {} passes its {}, by the word of {}",
            rollout.id, asked.gate, asked.person
        )
    })
}

const fn mend(why: &VoteRefusedBecause) -> &'static str {
    match why {
        VoteRefusedBecause::NotWaiting => "it does not wait for that; see `poolshift status`",
        VoteRefusedBecause::NoSuchGate => "name a gate of the plan; `poolshift status` shows them",
        VoteRefusedBecause::OtherPlan => "look at the plan as it is now, then say it again",
        VoteRefusedBecause::NotPermitted => {
            "somebody with a role of the target's `overrides` must; without them nobody may"
        }
        VoteRefusedBecause::OwnRequest
        | VoteRefusedBecause::VotedBefore
        | VoteRefusedBecause::Expired => "see `poolshift status`",
        VoteRefusedBecause::Other(_) => "use a poolshift of the same version as the server",
    }
}
