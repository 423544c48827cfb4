//! `poolshift watch`: follows a rollout to its end.

mod bars;
mod lines;

use std::io::{IsTerminal as _, stderr, stdout};
use std::time::Duration;

use tokio::time::{Instant, sleep};
use view::RolloutView;

use crate::api;
use crate::client::{Client, Polled};
use crate::exit;
use crate::failure::Failure;
use crate::said::{self, Said};
use crate::verbs::status::head;

use bars::Bars;
use lines::Lines;

/// How long one poll waits for news, in seconds.
const POLL_S: u64 = 25;

/// How long a server may be away; it starts again, and the rollout goes on.
const AWAY_MAX: Duration = Duration::from_secs(120);
const RETRY: Duration = Duration::from_millis(500);

/// Shows each change, on a terminal as bars, else a line for each; or each document in JSON.
pub(crate) async fn run(client: &Client, rollout: &str, json: bool) -> anyhow::Result<Said> {
    let first = api::rollout(client, rollout).await?;
    let path = format!("/rollouts/{}", first.id);
    let mut shown = Shown::new(json);
    let mut etag: Option<String> = None;
    let mut document = first;
    shown.show(&document)?;
    while document.outcome.is_none() {
        let Some(polled) = next(client, &path, etag.as_deref()).await? else {
            continue;
        };
        etag = polled.etag;
        if polled.document != document {
            document = polled.document;
            shown.show(&document)?;
        }
    }
    let code = document
        .outcome
        .as_ref()
        .map_or(exit::OTHER, exit::of_outcome);
    shown.end();
    let text = if json { String::new() } else { end(&document) };
    Ok(Said::new(code, text))
}

/// The next document. A server that cannot be reached is asked again for a while.
async fn next(
    client: &Client,
    path: &str,
    etag: Option<&str>,
) -> Result<Option<Polled<RolloutView>>, Failure> {
    let until = Instant::now() + AWAY_MAX;
    loop {
        match client.poll(path, etag, POLL_S).await {
            Err(failure) if failure.code == exit::UNREACHABLE && Instant::now() < until => {
                sleep(RETRY).await;
            }
            outcome => return outcome,
        }
    }
}

enum Shown {
    Json,
    Bars(Box<Bars>),
    Lines(Lines),
}

impl Shown {
    fn new(json: bool) -> Self {
        if json {
            Self::Json
        } else if stdout().is_terminal() && stderr().is_terminal() {
            // Bars are drawn on stderr; they help only whoever sees both.
            Self::Bars(Box::default())
        } else {
            Self::Lines(Lines::default())
        }
    }

    fn show(&mut self, rollout: &RolloutView) -> anyhow::Result<()> {
        match self {
            Self::Json => said::line(&serde_json::to_string(rollout)?),
            Self::Bars(bars) => {
                bars.show(rollout);
                Ok(())
            }
            Self::Lines(lines) => lines
                .news(rollout)
                .iter()
                .try_for_each(|line| said::line(line)),
        }
    }

    fn end(&self) {
        if let Self::Bars(bars) = self {
            bars.end();
        }
    }
}

fn end(rollout: &RolloutView) -> String {
    let mut text = head(rollout);
    let Some(finish) = &rollout.finish else {
        return text;
    };
    let took_s = finish.took_ms / 1000;
    text += &format!("\n  took {took_s} s");
    if let Some(least_up) = finish.least_up {
        text += &format!(", never fewer than {least_up} UP (floor {})", finish.floor);
    }
    text += &format!(
        ", {} requests cut, {} reached a held-out server",
        finish.cut, finish.held_out_requests
    );
    for (label, servers) in [("stuck", &finish.stuck), ("left", &finish.left)] {
        if !servers.is_empty() {
            let names: Vec<&str> = servers.iter().map(|name| name.as_str()).collect();
            text += &format!("\n  {label}: {}", names.join(", "));
        }
    }
    text
}
