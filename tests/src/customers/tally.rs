//! What all customers saw.

use super::judge::Failure;
use super::visit::Outcome;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

/// How many failures are kept with all that is known of them.
const FIRST: usize = 20;

/// The count of one load.
#[derive(Debug, Default)]
pub struct Tally {
    /// All requests.
    pub requests: u64,
    /// Those that were orders.
    pub posts: u64,
    /// Those that failed: no whole answer, another status than 200, or another answer than due.
    pub failed: u64,
    /// How many failed for which reason.
    pub reasons: BTreeMap<Failure, u64>,
    /// The first twenty failures, in words.
    pub first_failures: Vec<String>,
    /// Every answer of a server, also those that count as failed, in the order of their arrival.
    pub answers: Vec<Answered>,
    took: Vec<Duration>,
    late: Vec<Duration>,
    names: BTreeSet<Arc<str>>,
}

/// One answer of a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answered {
    /// When the customer sent the request.
    pub sent_ms: u64,
    /// When the server took it up, by its own word.
    pub taken_ms: u64,
    /// When the customer had the whole answer.
    pub done_ms: u64,
    /// Its status.
    pub status: u16,
    /// Who answered.
    pub server: Arc<str>,
    /// In which version.
    pub version: Arc<str>,
}

/// A stretch of wall-clock time in which no customer's request may come to a server: from its
/// `Drained` to its `Restore`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldOut {
    /// The server's short name.
    pub server: String,
    /// The millisecond in which it was drained. A request of this very millisecond does not count:
    /// it may have been the last one before.
    pub from_ms: u64,
    /// The millisecond in which it may come back; does not count either.
    pub to_ms: u64,
}

/// The answers of one server in one version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// How many.
    pub answers: u64,
    /// When the server took up the first.
    pub first_ms: u64,
    /// When it took up the last.
    pub last_ms: u64,
}

impl Tally {
    /// How many answers came from this version.
    #[must_use]
    pub fn answers_of(&self, version: &str) -> u64 {
        count(
            self.answers
                .iter()
                .filter(|answer| &*answer.version == version),
        )
    }

    /// How many requests were taken up by a server while it was held out.
    #[must_use]
    pub fn held_out_requests(&self, held_out: &[HeldOut]) -> u64 {
        count(
            self.answers
                .iter()
                .filter(|answer| held_out.iter().any(|held| held.covers(answer))),
        )
    }

    /// The answers by server and version.
    #[must_use]
    pub fn spans(&self) -> BTreeMap<(Arc<str>, Arc<str>), Span> {
        let mut spans = BTreeMap::new();
        for answer in &self.answers {
            let at = answer.taken_ms;
            let key = (Arc::clone(&answer.server), Arc::clone(&answer.version));
            let none_yet = Span {
                answers: 0,
                first_ms: at,
                last_ms: at,
            };
            let span = spans.entry(key).or_insert(none_yet);
            span.answers += 1;
            span.first_ms = span.first_ms.min(at);
            span.last_ms = span.last_ms.max(at);
        }
        spans
    }

    /// The time that this many of a thousand requests did not exceed; zero without requests.
    #[must_use]
    pub fn took(&self, of_thousand: usize) -> Duration {
        quantile(&self.took, of_thousand)
    }

    /// How late this many of a thousand customers came at most: the fault of the load itself.
    #[must_use]
    pub fn late(&self, of_thousand: usize) -> Duration {
        quantile(&self.late, of_thousand)
    }

    pub(super) fn add(&mut self, outcome: Outcome) {
        self.requests += 1;
        self.posts += u64::from(outcome.is_order);
        self.took.push(outcome.took);
        self.late.push(outcome.late);
        if let Some(failure) = &outcome.failure {
            self.failed += 1;
            *self.reasons.entry(failure.clone()).or_default() += 1;
            if self.first_failures.len() < FIRST {
                self.first_failures.push(describe(&outcome, failure));
            }
        }
        if let Some((status, answer)) = outcome.answer {
            let server = self.name(&answer.server);
            let version = self.name(&answer.version);
            self.answers.push(Answered {
                sent_ms: outcome.sent_ms,
                taken_ms: answer.taken_at_ms,
                done_ms: outcome.done_ms,
                status,
                server,
                version,
            });
        }
    }

    /// One copy of each name for all answers.
    fn name(&mut self, name: &str) -> Arc<str> {
        if let Some(known) = self.names.get(name) {
            return Arc::clone(known);
        }
        let new: Arc<str> = Arc::from(name);
        self.names.insert(Arc::clone(&new));
        new
    }
}

impl HeldOut {
    fn covers(&self, answer: &Answered) -> bool {
        *answer.server == *self.server && (self.from_ms + 1..self.to_ms).contains(&answer.taken_ms)
    }
}

fn describe(outcome: &Outcome, failure: &Failure) -> String {
    let kind = if outcome.is_order { "POST" } else { "GET" };
    let who = outcome
        .answer
        .as_ref()
        .map_or("nobody", |(_, answer)| &answer.server);
    format!(
        "{kind} {} at {} ms after {} ms: {failure} (answered by {who})",
        outcome.number,
        outcome.sent_ms,
        outcome.took.as_millis(),
    )
}

fn count<T>(all: impl Iterator<Item = T>) -> u64 {
    all.fold(0, |sum, _| sum + 1)
}

fn quantile(all: &[Duration], of_thousand: usize) -> Duration {
    let mut sorted = all.to_vec();
    sorted.sort_unstable();
    let place = (sorted.len() * of_thousand / 1000).min(sorted.len().saturating_sub(1));
    sorted.get(place).copied().unwrap_or_default()
}
