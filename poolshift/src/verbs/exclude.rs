//! `poolshift exclude`.

use events::{RolloutId, ServerName, Target};
use serde::Serialize;

use crate::api;
use crate::client::Client;
use crate::failure::Failure;
use crate::said::Said;

/// Names the rollout that the person saw, so that a late word never hits the next one.
#[derive(Serialize)]
struct Exclude {
    reason: String,
    person: Option<String>,
    rollout: RolloutId,
}

#[derive(Serialize)]
struct Excluded<'a> {
    target: &'a Target,
    server: &'a ServerName,
    rollout: RolloutId,
    event: String,
}

/// Takes a server out of the rollout that runs, and waits until it counts.
pub(crate) async fn run(
    client: &Client,
    target: &Target,
    server: &ServerName,
    reason: String,
    person: Option<String>,
    json: bool,
) -> anyhow::Result<Said> {
    let before = api::target(client, target).await?;
    let Some(rollout) = before.rollout else {
        let what = format!("no rollout runs on {target}");
        return Err(Failure::refused(what)
            .mend("a server that must never take part is taken out of the service file")
            .into());
    };
    let exclude = Exclude {
        reason,
        person,
        rollout,
    };
    let path = format!("{}/servers/{server}/exclude", api::target_path(target));
    let (report, seen) = api::say(client, (target, before.as_of.n), &path, &exclude).await?;
    let Some(seen) = seen else {
        let what = format!("{server} of {target} was not taken out: it is on its way, or done");
        return Err(api::nothing_changed(&what, report).into());
    };
    let excluded = Excluded {
        target,
        server,
        rollout,
        event: seen.kind,
    };
    Said::either(json, &excluded, || {
        format!(
            "{server} of {target} takes no further part in rollout {rollout}\n  a rollout that is \
             halted stays so: `poolshift retry {rollout}` goes on without it"
        )
    })
}
