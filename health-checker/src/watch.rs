//! One watch, from its first look to its verdict.

mod asking;
mod chance;
mod response;
mod text;
mod window;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use events::{Answer, BalancerName, Command, RefusedBecause, Watch, Watching};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

use self::asking::Asking;
use crate::haproxy::StatsSocket;
use crate::reporter::Reporter;
use crate::trial::refused;

pub use asking::time_once;
pub use response::{Reply, Turn};
pub use window::{Line, Reading, Stands, Verdict, Window};

/// From one look to the next: a hundred looks in a watch, but neither a load nor a long wait.
const PACE_MIN_MS: u64 = 500;
const PACE_MAX_MS: u64 = 10_000;

/// How a watch stands is said so many times while it lasts, and not more often than this.
const NEWS: u64 = 4;
const NEWS_MIN_MS: u64 = 5_000;

/// Where each balancer's counters are read.
pub(crate) type Sockets = Arc<BTreeMap<BalancerName, StatsSocket>>;

/// Carries a watch out that must have its verdict by `end`. One for which no time was left is
/// refused as late: silence is not a verdict.
pub(crate) async fn verdict(
    sockets: &Sockets,
    reporter: &Reporter,
    command: &Command,
    watch: &Watch,
    end: Option<Instant>,
) -> Answer {
    let begun = Instant::now();
    let enough = |end: &Instant| *end >= begun + Duration::from_millis(watch.for_ms);
    let Some(end) = end.filter(enough) else {
        return refused(command, RefusedBecause::Late);
    };
    let names = command.balancers.iter().map(|one| one.name.clone());
    let mut window = Window::new(watch.clone(), command.line.clone(), names.collect());
    let pace = Duration::from_millis((watch.for_ms / 100).clamp(PACE_MIN_MS, PACE_MAX_MS));
    let news_pace_ms = (watch.for_ms / NEWS).max(NEWS_MIN_MS);
    let mut news_ms = news_pace_ms;
    let mut next = begun;
    let mut asking = watch.response.clone().map(Asking::begin);
    let mut warned = BTreeSet::new();
    loop {
        for (balancer, read) in readings(sockets, command).await {
            match read {
                Ok(reading) => window.take(&balancer, &reading),
                Err(error) => {
                    window.miss(&balancer, &format!("{error:#}"));
                    // Asked again at each look, said once.
                    if warned.insert(balancer.clone()) {
                        tracing::warn!(%balancer, command = %command.id, "not counted: {error:#}");
                    }
                }
            }
        }
        let elapsed_ms = ms_since(begun);
        if let Some(verdict) = window.look(elapsed_ms, Instant::now() >= end) {
            return verdict.answer(command.id.clone(), window.seen(elapsed_ms));
        }
        if elapsed_ms >= news_ms {
            news_ms = elapsed_ms.saturating_add(news_pace_ms);
            let news = Watching {
                command: command.id.clone(),
                seen: window.seen(elapsed_ms),
            };
            reporter.try_say(command, Answer::Watching(news)).await;
        }
        next = (next + pace).max(Instant::now());
        match &mut asking {
            Some(asking) => asking.until(next.min(end), &mut window).await,
            None => sleep_until(next.min(end)).await,
        }
    }
}

fn ms_since(begun: Instant) -> u64 {
    u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX)
}

/// What each balancer says now, all asked at once.
async fn readings(sockets: &Sockets, command: &Command) -> Vec<(BalancerName, Result<Reading>)> {
    let mut asked = JoinSet::new();
    for balancer in &command.balancers {
        let (name, online) = (balancer.name.clone(), command.online.clone());
        let socket = sockets.get(&name).cloned();
        asked.spawn(async move {
            let socket = socket.context("no stats socket is known; name it in `stats_sockets`");
            let read = async { socket?.read(&online).await };
            (name, read.await)
        });
    }
    asked.join_all().await
}
