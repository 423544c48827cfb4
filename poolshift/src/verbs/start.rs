//! `poolshift start`.

use events::{Digest, RolloutId, Target, Version};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::cli::Start;
use crate::client::Client;
use crate::said::{self, Said};
use crate::verbs::watch;

#[derive(Serialize)]
struct Wanted<'a> {
    target: &'a Target,
    version: &'a Version,
    sha256: Digest,
    url: Option<&'a str>,
    tests: Option<Tests<'a>>,
    ticket: Option<&'a str>,
    reason: Option<&'a str>,
    person: Option<&'a str>,
}

#[derive(Serialize)]
struct Tests<'a> {
    url: &'a str,
    sha256: Digest,
}

#[derive(Deserialize)]
struct Started {
    rollout: RolloutId,
    status_url: String,
}

/// What is shown of a rollout that was accepted.
#[derive(Serialize)]
struct Shown<'a> {
    rollout: RolloutId,
    target: &'a Target,
    version: &'a Version,
    status_url: &'a str,
    key: &'a str,
}

/// Starts a rollout; accepted means durable.
pub(crate) async fn run(client: &Client, start: Start, json: bool) -> anyhow::Result<Said> {
    let key = start.key.unwrap_or_else(|| Uuid::new_v4().to_string());
    let wanted = Wanted {
        target: &start.target,
        version: &start.version,
        sha256: start.sha256,
        url: start.url.as_deref(),
        tests: start
            .tests_url
            .as_deref()
            .zip(start.tests_sha256)
            .map(|(url, sha256)| Tests { url, sha256 }),
        ticket: start.ticket.as_deref(),
        reason: start.reason.as_deref(),
        person: start.person.person.as_deref(),
    };
    let started: Result<Started, _> = client.post("/rollouts", Some(&key), &wanted).await;
    let started = started.map_err(|failure| {
        failure.note("key", format!("{key} (--key repeats exactly this request)"))
    })?;
    let shown = Shown {
        rollout: started.rollout,
        target: &start.target,
        version: &start.version,
        status_url: &started.status_url,
        key: &key,
    };
    let said = Said::either(json, &shown, || {
        format!(
            "rollout {}\n  {} to {}, accepted\n  key {key}",
            started.rollout, start.version, start.target
        )
    })?;
    if !start.watch {
        return Ok(said);
    }
    said::line(&said.text)?;
    watch::run(client, &started.rollout.to_string(), json).await
}
