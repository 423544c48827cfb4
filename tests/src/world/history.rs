//! A target's history, read as anybody reads it: from the API, event by event.

use super::api::Api;
use anyhow::{Context, Result, bail};
use events::{Event, Target, Timestamp};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// The longest that one question waits for something new.
const WAIT: Duration = Duration::from_secs(10);

/// Between two questions to a server that is not there: it may be starting.
const AGAIN: Duration = Duration::from_millis(20);

/// Events asked for at once.
const PAGE: usize = 1000;

/// All events of a target so far, and how to learn more.
#[derive(Debug)]
pub struct History {
    /// In their order.
    pub events: Vec<Happened>,
    api: Api,
    target: Target,
    etag: Option<String>,
}

/// One event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Happened {
    /// Its number within the target.
    pub n: u64,
    /// The owner's time of it.
    pub at_ms: u64,
    /// The time of whoever reported it, by the same clock: the stage is one machine.
    pub reported_ms: u64,
    /// What is so.
    pub event: Event,
}

#[derive(Debug, Deserialize)]
struct Page {
    events: Vec<Shown>,
    more: bool,
}

#[derive(Debug, Deserialize)]
struct Shown {
    n: u64,
    #[serde(rename = "type")]
    kind: String,
    v: u16,
    at: Option<Timestamp>,
    reported_at: Timestamp,
    body: Box<RawValue>,
}

impl History {
    /// The history of `target`, nothing of it read yet.
    #[must_use]
    pub fn of(api: Api, target: &Target) -> Self {
        Self {
            events: vec![],
            api,
            target: target.clone(),
            etag: None,
        }
    }

    /// Reads what is new, without waiting for it.
    ///
    /// # Errors
    /// When there is no answer, or an event that this program does not know.
    pub async fn read(&mut self) -> Result<()> {
        loop {
            let after = self.events.last().map_or(0, |last| last.n);
            let path = format!(
                "/targets/{}/history?after={after}&limit={PAGE}",
                self.target
            );
            let page: Page = self.api.get(&path).await?;
            for shown in page.events {
                self.events.push(shown.understood()?);
            }
            if !page.more {
                return Ok(());
            }
        }
    }

    /// Waits until there may be something new, and reads it; a server that does not answer is
    /// asked again, since it may be starting.
    async fn more(&mut self, until: Instant) -> Result<()> {
        let wait = WAIT.min(until.saturating_duration_since(Instant::now()));
        let wait = wait.max(Duration::from_secs(1));
        let path = format!("/targets/{}", self.target);
        let known = self.etag.as_deref();
        let polled = self.api.poll::<serde_json::Value>(&path, known, wait);
        if let Some((_, etag)) = polled.await? {
            self.etag = Some(etag);
        }
        self.read().await
    }

    /// Waits until `find` finds what it looks for among the events.
    ///
    /// # Errors
    /// When it does not within `deadline`; names `what` was waited for.
    pub async fn until<T>(
        &mut self,
        what: &str,
        deadline: Duration,
        mut find: impl FnMut(&[Happened]) -> Option<T>,
    ) -> Result<T> {
        let until = Instant::now() + deadline;
        loop {
            let asked = self.more(until).await;
            if let Some(found) = find(&self.events) {
                return Ok(found);
            }
            if Instant::now() < until {
                if asked.is_err() {
                    sleep(AGAIN).await;
                }
                continue;
            }
            let seconds = deadline.as_secs();
            match asked {
                Err(error) => return Err(error.context(format!("no {what} in {seconds} s"))),
                Ok(()) => bail!(
                    "no {what} in {seconds} s; the end of the history: {}",
                    self.end()
                ),
            }
        }
    }

    fn end(&self) -> String {
        let last = self.events.iter().rev().take(12).rev();
        let lines = last.map(|one| format!("\n  {} {:?}", one.n, one.event));
        lines.collect()
    }
}

impl Shown {
    fn understood(self) -> Result<Happened> {
        let event = Event::from_bytes(&self.kind, self.v, self.body.get().as_bytes())
            .with_context(|| format!("cannot read event {}", self.n))?;
        Ok(Happened {
            n: self.n,
            at_ms: ms(self.at.unwrap_or(self.reported_at)),
            reported_ms: ms(self.reported_at),
            event,
        })
    }
}

fn ms(time: Timestamp) -> u64 {
    u64::try_from(time.as_ms()).unwrap_or(0)
}
