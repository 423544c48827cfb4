//! One check, from its first round to its verdict.

use std::time::Duration;

use events::{
    Answer, Check, Command, FailedBecause, Failure, Healthy, Probe, RefusedBecause, Unhealthy, Work,
};
use tokio::time::{Instant, sleep_until};

use crate::probe::Prober;
use crate::verdict::{Round, Rounds};

/// The shortest time from one round to the next, whatever a command asks for.
const INTERVAL_MIN: Duration = Duration::from_millis(10);

/// Carries out a check that must have its verdict by `end`. One for which no time was left is
/// refused as late: silence is not a verdict.
pub(crate) async fn verdict(prober: &Prober, command: &Command, end: Option<Instant>) -> Answer {
    let Work::Check(check) = &command.work else {
        return refused(command, RefusedBecause::Unknown);
    };
    let Some(end) = end.filter(|end| Instant::now() < *end) else {
        return refused(command, RefusedBecause::Late);
    };
    if let Some(nothing) = proves_nothing(check, command) {
        return unhealthy(
            command,
            Failure::new(FailedBecause::NoResults, nothing),
            None,
        );
    }
    let interval = Duration::from_millis(check.interval_ms).max(INTERVAL_MIN);
    let mut rounds = Rounds::new(check.in_a_row);
    loop {
        let next = Instant::now() + interval;
        let round = prober.round(check, &command.balancers, end).await;
        if rounds.take(round.clone()) {
            return healthy(command, round);
        }
        sleep_until(next.min(end)).await;
        if Instant::now() >= end {
            break;
        }
    }
    let (good, needed) = rounds.good();
    let last = rounds.into_last();
    let failure = last
        .as_ref()
        .and_then(|round| round.failure.clone())
        .unwrap_or_else(|| {
            let detail = format!("{good} of {needed} good rounds in a row when the time was over");
            Failure::new(FailedBecause::TimedOut, &detail)
        });
    unhealthy(command, failure, last)
}

/// A check without a probe, or without a way to ask, would call anything healthy.
fn proves_nothing(check: &Check, command: &Command) -> Option<&'static str> {
    let asks_http = |probe: &Probe| matches!(probe, Probe::Http { .. });
    if check.probes.is_empty() {
        Some("the check names no probe")
    } else if check.probes.iter().any(asks_http) && command.balancers.is_empty() {
        Some("the check asks over HTTP, but the command names no balancer")
    } else {
        None
    }
}

fn healthy(command: &Command, round: Round) -> Answer {
    let balancers = command.balancers.iter();
    Answer::Healthy(Healthy {
        command: command.id.clone(),
        probes: round.probes,
        answered_by: round.answered_by,
        balancers: balancers.map(|balancer| balancer.name.clone()).collect(),
    })
}

fn unhealthy(command: &Command, failure: Failure, last: Option<Round>) -> Answer {
    Answer::Unhealthy(Unhealthy {
        command: command.id.clone(),
        failure,
        probes: last.map(|round| round.probes).unwrap_or_default(),
    })
}

fn refused(command: &Command, reason: RefusedBecause) -> Answer {
    Answer::CommandRefused(events::CommandRefused {
        command: command.id.clone(),
        reason,
        highest: command.fence(),
    })
}
