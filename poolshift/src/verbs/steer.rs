//! `poolshift pause`, `resume`, `abort`, `retry`.

use serde::Serialize;

use events::RolloutId;

use crate::api;
use crate::cli::Why;
use crate::client::Client;
use crate::failure::Failure;
use crate::said::Said;

/// What is wanted of a rollout.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wanted {
    Pause,
    Resume,
    Abort,
    Retry,
}

impl Wanted {
    const fn word(self) -> &'static str {
        match self {
            Self::Pause => "pause",
            Self::Resume => "resume",
            Self::Abort => "abort",
            Self::Retry => "retry",
        }
    }

    const fn done(self) -> &'static str {
        match self {
            Self::Pause => "no new batch is opened",
            Self::Resume => "goes on",
            Self::Abort => "stops and goes back",
            Self::Retry => "tries again what failed",
        }
    }
}

/// Why, as the API wants it.
#[derive(Serialize)]
pub(crate) struct Reason {
    pub(crate) reason: String,
    pub(crate) person: Option<String>,
}

#[derive(Serialize)]
struct Steered {
    rollout: RolloutId,
    wish: &'static str,
    event: String,
}

/// Says what is wanted, and waits until it counts.
pub(crate) async fn run(
    client: &Client,
    wanted: Wanted,
    why: Why,
    json: bool,
) -> anyhow::Result<Said> {
    let rollout = api::rollout(client, &why.rollout.rollout).await?;
    if let Some(outcome) = rollout.outcome {
        let what = format!("rollout {} is over: {outcome}", rollout.id);
        return Err(Failure::refused(what)
            .mend("`poolshift status` shows the rollout that runs")
            .into());
    }
    let before = api::target(client, &rollout.target).await?;
    let path = format!("/rollouts/{}/{}", rollout.id, wanted.word());
    let reason = Reason {
        reason: why.reason,
        person: why.person.person,
    };
    let known = (&rollout.target, before.as_of.n);
    let (report, seen) = api::say(client, known, &path, &reason).await?;
    let Some(seen) = seen else {
        return Err(api::nothing_changed(wanted.word(), report).into());
    };
    let steered = Steered {
        rollout: rollout.id,
        wish: wanted.word(),
        event: seen.kind,
    };
    // One that waited for its turn is over with the first event.
    let done = match steered.event.as_str() {
        "poolshift.rollout-finished" => "withdrawn: it had not begun",
        _ => wanted.done(),
    };
    Said::either(json, &steered, || format!("rollout {}: {done}", rollout.id))
}
