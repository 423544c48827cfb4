//! `poolshift supersede`.

use events::RolloutId;
use serde::Serialize;

use crate::api;
use crate::cli::Supersede;
use crate::client::Client;
use crate::failure::Failure;
use crate::said::Said;

#[derive(Serialize)]
struct TakeOver {
    with: String,
    reason: String,
    person: Option<String>,
}

#[derive(Serialize)]
struct TakenOver {
    rollout: RolloutId,
    successor: RolloutId,
}

/// Says that a rollout that waits takes over, and waits until that counts.
pub(crate) async fn run(client: &Client, asked: Supersede, json: bool) -> anyhow::Result<Said> {
    let before = api::target(client, &asked.target).await?;
    let Some(halted) = before.rollout else {
        return Err(
            Failure::refused(format!("no rollout runs on {}", asked.target))
                .mend("one that waits begins by itself")
                .into(),
        );
    };
    let successor = api::rollout(client, &asked.with).await?;
    if !before.queue.contains(&successor.id) {
        let waits: Vec<String> = before.queue.iter().map(ToString::to_string).collect();
        return Err(Failure::refused(format!(
            "rollout {} does not wait on {}",
            successor.id, asked.target
        ))
        .note("waits", waits.join(", "))
        .into());
    }
    let take_over = TakeOver {
        with: successor.id.to_string(),
        reason: asked.reason,
        person: asked.person.person,
    };
    let path = format!("/rollouts/{halted}/supersede");
    let known = (&asked.target, before.as_of.n);
    let (report, seen) = api::say(client, known, &path, &take_over).await?;
    if seen.is_none() {
        let what = format!("rollout {halted} is not taken over");
        return Err(api::nothing_changed(&what, report)
            .mend("only a halted rollout can be taken over; see `poolshift status`")
            .into());
    }
    let taken_over = TakenOver {
        rollout: halted,
        successor: successor.id,
    };
    Said::either(json, &taken_over, || {
        format!(
            "rollout {halted} ends as it is when its running steps have ended, and {} takes its \
             servers over",
            successor.version
        )
    })
}
