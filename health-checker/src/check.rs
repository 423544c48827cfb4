//! One check, from its first round to its verdict: the probes behind a [`Trial`].

use std::time::Duration;

use events::{Answer, Command};
use tokio::time::{Instant, sleep_until};

use crate::probe::Prober;
use crate::round::doors;
use crate::trial::Trial;

/// The shortest time from one round to the next, whatever a command asks for.
const INTERVAL_MIN: Duration = Duration::from_millis(10);

/// Carries out a check that must have its verdict by `end`; none when its time was over before it
/// was seen.
pub(crate) async fn verdict(prober: &Prober, command: &Command, end: Option<Instant>) -> Answer {
    let end = end.filter(|end| Instant::now() < *end);
    let mut trial = match Trial::begin(command, end.is_some()) {
        Ok(trial) => trial,
        Err(answer) => return *answer,
    };
    let Some(end) = end else {
        return trial.over();
    };
    let interval = Duration::from_millis(trial.check().interval_ms).max(INTERVAL_MIN);
    let doors = doors(trial.check(), command);
    loop {
        let next = Instant::now() + interval;
        let round = prober.round(trial.check(), &doors, end).await;
        if let Some(healthy) = trial.take(&round) {
            return healthy;
        }
        sleep_until(next.min(end)).await;
        if Instant::now() >= end {
            return trial.over();
        }
    }
}
