//! Pauses between attempts: longer each time, never the same for two agents, never for ever.

use std::fmt::Display;
use std::time::Duration;

use uuid::Uuid;

const FIRST: Duration = Duration::from_millis(100);
const LONGEST: Duration = Duration::from_secs(10);

/// A row of pauses.
#[derive(Debug, Default)]
pub(crate) struct Backoff {
    attempts: u32,
}

impl Backoff {
    /// It worked.
    pub(crate) fn reset(&mut self) {
        if self.attempts > 0 {
            tracing::info!(attempts = self.attempts, "the gateway answers again");
        }
        self.attempts = 0;
    }

    /// Says why it did not work: at the first time, then rarely.
    pub(crate) fn say(&self, error: &impl Display) {
        if self.attempts.is_power_of_two() || self.attempts == 0 {
            tracing::warn!(%error, attempts = self.attempts, "the gateway gives nothing");
        }
    }

    /// Waits.
    pub(crate) async fn pause(&mut self) {
        let longest = FIRST
            .saturating_mul(1 << self.attempts.min(10))
            .min(LONGEST);
        self.attempts = self.attempts.saturating_add(1);
        // Between half and the whole of it, so that a fleet does not come back as one.
        let half = longest / 2;
        let share = u32::from(Uuid::new_v4().as_bytes().first().copied().unwrap_or(0));
        tokio::time::sleep(half + half * share / 255).await;
    }
}
