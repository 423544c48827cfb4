//! `poolshift history`.

use events::Target;

use crate::api::{self, Page, Shown};
use crate::client::Client;
use crate::said::Said;

/// The most that a line shows of an event's body, in characters.
const BODY_CHARS_MAX: usize = 160;

/// The events of a target, the oldest first.
pub(crate) async fn run(
    client: &Client,
    target: &Target,
    limit: Option<usize>,
    json: bool,
) -> anyhow::Result<Said> {
    let last = api::target(client, target).await?.as_of.n;
    let wanted = limit.and_then(|limit| u64::try_from(limit).ok());
    let after = wanted.map_or(0, |wanted| last.saturating_sub(wanted));
    let events = api::events_after(client, target, after).await?;
    let page = Page {
        events,
        more: false,
    };
    Said::either(json, &page, || {
        let lines: Vec<String> = page.events.iter().map(line).collect();
        lines.join("\n")
    })
}

fn line(shown: &Shown) -> String {
    let at = shown.at.unwrap_or(shown.reported_at);
    let kind = shown.kind.trim_start_matches("poolshift.");
    let body: String = shown.body.get().chars().take(BODY_CHARS_MAX).collect();
    let cut = if body.len() < shown.body.get().len() {
        "…"
    } else {
        ""
    };
    format!(
        "{:>5}  {at}  {kind:<20}  {}  {body}{cut}",
        shown.n, shown.actor.id
    )
}
