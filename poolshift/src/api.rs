//! The API's paths and forms that no other crate has.

use std::time::Duration;

use events::{Digest, ReportId, RolloutId, Target, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use tokio::time::Instant;
use view::{RolloutView, TargetView};

use crate::client::{Client, Polled};
use crate::exit;
use crate::failure::Failure;

/// How long the effect of a durable request is waited for.
pub(crate) const SEEN_WITHIN: Duration = Duration::from_secs(10);

/// What a write is answered.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Written {
    /// Its report: the cause of what follows from it.
    pub(crate) report: ReportId,
}

/// A page of a target's events.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Page {
    /// In order.
    pub(crate) events: Vec<Shown>,
    /// Whether there are more after the last one.
    pub(crate) more: bool,
}

/// An event as the API shows it.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Shown {
    pub(crate) n: u64,
    pub(crate) id: String,
    #[serde(rename = "type")]
    pub(crate) kind: String,
    pub(crate) v: u16,
    pub(crate) at: Option<Timestamp>,
    pub(crate) reported_at: Timestamp,
    pub(crate) source: String,
    pub(crate) actor: events::Actor,
    pub(crate) cause: Option<String>,
    pub(crate) epoch: Option<u64>,
    pub(crate) brain: Option<u16>,
    pub(crate) rollout: Option<String>,
    pub(crate) command: Option<String>,
    pub(crate) prev: Option<Digest>,
    pub(crate) body: Box<RawValue>,
}

/// The path of a target.
pub(crate) fn target_path(target: &Target) -> String {
    format!("/targets/{target}")
}

/// A target as it is now.
pub(crate) async fn target(client: &Client, target: &Target) -> Result<TargetView, Failure> {
    client.get(&target_path(target)).await
}

/// A rollout by its id, or by the beginning of it.
pub(crate) async fn rollout(client: &Client, text: &str) -> Result<RolloutView, Failure> {
    if text.parse::<RolloutId>().is_ok() {
        return client.get(&format!("/rollouts/{text}")).await;
    }
    let simple = text.replace('-', "").to_ascii_lowercase();
    let is_beginning = simple.len() >= 4 && simple.bytes().all(|byte| byte.is_ascii_hexdigit());
    if !is_beginning {
        return Err(Failure::refused(format!("`{text}` is not a rollout"))
            .mend("write its id as `start` printed it, or at least the first 4 digits of it"));
    }
    let all: Vec<RolloutView> = client.get("/rollouts?limit=1000").await?;
    let begins = |rollout: &RolloutView| {
        let id = rollout.id.to_string().replace('-', "");
        id.starts_with(&simple)
    };
    let mut found: Vec<RolloutView> = all.into_iter().filter(begins).collect();
    match (found.pop(), found.len()) {
        (Some(only), 0) => Ok(only),
        (Some(_), _) => Err(
            Failure::refused(format!("several rollouts begin with {text}"))
                .mend("write more digits of the id"),
        ),
        (None, _) => Err(Failure::refused(format!("no rollout begins with {text}"))
            .mend("`poolshift status` shows the ids")),
    }
}

/// A page of events after number `after`.
pub(crate) async fn page(
    client: &Client,
    target: &Target,
    after: u64,
    limit: usize,
) -> Result<Page, Failure> {
    let path = target_path(target);
    client
        .get(&format!("{path}/history?after={after}&limit={limit}"))
        .await
}

/// All events after number `after`.
pub(crate) async fn events_after(
    client: &Client,
    target: &Target,
    after: u64,
) -> Result<Vec<Shown>, Failure> {
    let mut all: Vec<Shown> = Vec::new();
    loop {
        let last = all.last().map_or(after, |shown| shown.n);
        let next = page(client, target, last, 1000).await?;
        let more = next.more && !next.events.is_empty();
        all.extend(next.events);
        if !more {
            return Ok(all);
        }
    }
}

/// Says something of a target whose events are known to number `after`, and waits for what comes of
/// it: its report, and the first event that this led to; `None`: it changed nothing in time.
///
/// # Errors
/// Why it was not taken; or when the API does not answer.
pub(crate) async fn say(
    client: &Client,
    (target, after): (&Target, u64),
    path: &str,
    word: &impl Serialize,
) -> Result<(ReportId, Option<Shown>), Failure> {
    let written: Written = client.post(path, None, word).await?;
    let seen = effect(client, target, after, written.report, SEEN_WITHIN).await?;
    Ok((written.report, seen))
}

/// The first event that `report` led to, as soon as there is one; `None`: none came in time, so
/// it changed nothing.
///
/// # Errors
/// Why the report was not taken, as soon as that is known; or when the API does not answer.
pub(crate) async fn effect(
    client: &Client,
    target: &Target,
    after: u64,
    report: ReportId,
    within: Duration,
) -> Result<Option<Shown>, Failure> {
    tokio::select! {
        seen = event_of(client, target, after, report, within) => seen,
        why = refusal(client, report, within) => Err(why),
    }
}

/// What a report that was refused is answered.
#[derive(Deserialize)]
struct Refused {
    refused: Option<String>,
}

/// Why a report was refused, if it was by now.
pub(crate) async fn refused(client: &Client, report: ReportId) -> Result<Option<String>, Failure> {
    let known: Refused = client.get(&format!("/reports/{report}")).await?;
    Ok(known.refused)
}

/// Why a report is refused; never returns for one that is not, or of which nobody can say so.
async fn refusal(client: &Client, report: ReportId, within: Duration) -> Failure {
    let path = format!("/reports/{report}");
    let asked = client.poll::<Refused>(&path, None, within.as_secs());
    match asked.await {
        Ok(Some(Polled {
            document: Refused { refused: Some(why) },
            ..
        })) => Failure::refused(format!("not taken: {why}")).place(format!("report {report}")),
        Ok(_) | Err(_) => std::future::pending().await,
    }
}

async fn event_of(
    client: &Client,
    target: &Target,
    after: u64,
    report: ReportId,
    within: Duration,
) -> Result<Option<Shown>, Failure> {
    let cause = report.to_string();
    let path = target_path(target);
    let until = Instant::now() + within;
    let mut etag: Option<String> = None;
    loop {
        // Every event changes the target's document, and stands in the log before it does.
        let left = until.saturating_duration_since(Instant::now());
        let polled: Option<Polled<TargetView>> =
            client.poll(&path, etag.as_deref(), left.as_secs()).await?;
        let is_over = polled.is_none();
        etag = polled.map_or(etag, |polled| polled.etag);
        let events = events_after(client, target, after).await?;
        let found = events
            .into_iter()
            .find(|shown| shown.cause.as_deref() == Some(&cause));
        if found.is_some() || is_over || Instant::now() >= until {
            return Ok(found);
        }
    }
}

/// What people are told when a durable request changed nothing.
pub(crate) fn nothing_changed(what: &str, report: ReportId) -> Failure {
    let waited = SEEN_WITHIN.as_secs();
    Failure::new(
        exit::NOT_SEEN,
        format!("{what}: nothing had changed {waited} s after the request was durable"),
    )
    .place(format!("report {report}"))
    .mend("look at `poolshift status` and the log of `serve`: it was not needed, or not possible")
}
