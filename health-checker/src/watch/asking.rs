//! The probes behind a watch of response times.

use std::time::Duration;

use anyhow::{Context as _, Result};
use events::ResponseTime;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until, timeout};

use super::response::{Reply, Turn};
use super::window::Window;
use crate::probe::client;

/// So many rounds run side by side at most: a server that does not answer is not piled upon.
const ROUNDS_MOST: usize = 8;

/// The most of a body that is read, in bytes. A long answer is timed by its beginning.
const BODY_BYTES_MAX: usize = 256 * 1024;

/// Rounds that run, and when the next one begins.
pub(super) struct Asking {
    rule: ResponseTime,
    client: Option<reqwest::Client>,
    next: Instant,
    rounds: JoinSet<(Turn, Reply, Option<Reply>)>,
}

impl Asking {
    pub(super) fn begin(rule: ResponseTime) -> Self {
        // What does not even connect in half of its time has no way there, or no room.
        let connect = Duration::from_millis(rule.timeout_ms / 2);
        let client = client().connect_timeout(connect).build();
        Self {
            client: client
                .inspect_err(|error| tracing::error!(%error, "cannot make the client of a watch"))
                .ok(),
            rule,
            next: Instant::now(),
            rounds: JoinSet::new(),
        }
    }

    /// Asks until then, and says what came of it. What still runs at the end of a watch counts
    /// neither for the server nor for the peer that was asked beside it.
    pub(super) async fn until(&mut self, then: Instant, window: &mut Window) {
        loop {
            tokio::select! {
                () = sleep_until(then) => return,
                Some(done) = self.rounds.join_next() => {
                    if let Ok((turn, server, peer)) = done {
                        window.replied(turn, server, peer);
                    }
                }
                () = sleep_until(self.next), if self.rounds.len() < ROUNDS_MOST => {
                    self.next = Instant::now() + Duration::from_millis(self.rule.interval_ms);
                    if let Some(turn) = window.turn() {
                        self.ask(turn);
                    }
                }
            }
        }
    }

    /// Both at the same moment: what slows all of them down slows both.
    fn ask(&mut self, turn: Turn) {
        let (rule, client) = (self.rule.clone(), self.client.clone());
        self.rounds.spawn(async move {
            let (server, peer) = turn.asked(&rule);
            let asked = async {
                match peer {
                    Some(peer) => Some(reply(client.as_ref(), peer, &rule).await),
                    None => None,
                }
            };
            let (server, peer) = tokio::join!(reply(client.as_ref(), server, &rule), asked);
            (turn, server, peer)
        });
    }
}

/// One probe of the server itself, beside any rollout.
pub async fn time_once(rule: &ResponseTime) -> Reply {
    let asking = Asking::begin(rule.clone());
    reply(asking.client.as_ref(), &rule.server, rule).await
}

async fn reply(client: Option<&reqwest::Client>, itself: &str, rule: &ResponseTime) -> Reply {
    let Some(client) = client else {
        return Reply::Unreached("no HTTP client could be made".to_owned());
    };
    let began = Instant::now();
    let longest = Duration::from_millis(rule.timeout_ms);
    let status = match timeout(longest, get(client, &format!("{itself}{}", rule.path))).await {
        Ok(Ok(status)) => status,
        Ok(Err(error)) if is_unreached(&error) => return Reply::Unreached(format!("{error:#}")),
        Ok(Err(error)) => return Reply::Bad(format!("{error:#}")),
        Err(_) => return Reply::Bad(format!("no answer in {longest:?}")),
    };
    if status == rule.status {
        Reply::Good(u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX))
    } else {
        Reply::Bad(format!("{status}, good is {}", rule.status))
    }
}

/// The status, once the answer is here.
async fn get(client: &reqwest::Client, url: &str) -> Result<u16> {
    let mut answer = client.get(url).send().await.context("no answer")?;
    let mut bytes = 0;
    while bytes < BODY_BYTES_MAX {
        match answer.chunk().await.context("the answer broke off")? {
            Some(chunk) => bytes += chunk.len(),
            None => break,
        }
    }
    Ok(answer.status().as_u16())
}

fn is_unreached(error: &anyhow::Error) -> bool {
    let error = error.downcast_ref::<reqwest::Error>();
    error.is_some_and(reqwest::Error::is_connect)
}
