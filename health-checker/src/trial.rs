//! One check from its first round to its verdict: pure. Who runs the probes tells it what they found.

use events::{
    Answer, Check, Command, FailedBecause, Failure, Healthy, Probe, RefusedBecause, Timestamp,
    Unhealthy, Work,
};

use crate::round::doors;
use crate::verdict::{Round, Rounds};

/// A check under way.
#[derive(Debug)]
pub struct Trial {
    command: Command,
    check: Check,
    rounds: Rounds,
}

impl Trial {
    /// Begins a check, if there `is_time` for it. One for which no time was left is refused as
    /// late: silence is not a verdict.
    ///
    /// # Errors
    /// The answer, where there is nothing to probe.
    pub fn begin(command: &Command, is_time: bool) -> Result<Self, Box<Answer>> {
        let Work::Check(check) = &command.work else {
            return Err(Box::new(refused(command, RefusedBecause::Unknown)));
        };
        if !is_time {
            return Err(Box::new(refused(command, RefusedBecause::Late)));
        }
        if let Some(nothing) = proves_nothing(check, command) {
            let failure = Failure::new(FailedBecause::NoResults, nothing);
            return Err(Box::new(unhealthy(command, failure, None)));
        }
        Ok(Self {
            command: command.clone(),
            check: check.clone(),
            rounds: Rounds::new(check.in_a_row),
        })
    }

    /// The command that it carries out.
    #[must_use]
    pub const fn command(&self) -> &Command {
        &self.command
    }

    /// What that asks for.
    #[must_use]
    pub const fn check(&self) -> &Check {
        &self.check
    }

    /// Takes a round. It is the last one when it gives an answer: the server is healthy.
    pub fn take(&mut self, round: &Round) -> Option<Answer> {
        let is_healthy = self.rounds.take(round.clone());
        is_healthy.then(|| healthy(&self.command, round.clone()))
    }

    /// The verdict when time is over.
    #[must_use]
    pub fn over(self) -> Answer {
        let (good, needed) = self.rounds.good();
        let last = self.rounds.into_last();
        let failure = last
            .as_ref()
            .and_then(|round| round.failure.clone())
            .unwrap_or_else(|| {
                let detail =
                    format!("{good} of {needed} good rounds in a row when the time was over");
                Failure::new(FailedBecause::TimedOut, &detail)
            });
        unhealthy(&self.command, failure, last)
    }
}

/// For how long a command seen at `wall` may be worked on, in milliseconds: its own time, and never
/// past its deadline.
#[must_use]
pub fn remains_ms(command: &Command, wall: Timestamp) -> u64 {
    command.deadline_at.ms_since(wall).min(command.timeout_ms)
}

/// A check without a probe, or without a way to ask, would call anything healthy.
fn proves_nothing(check: &Check, command: &Command) -> Option<&'static str> {
    let asks_http = |probe: &Probe| matches!(probe, Probe::Http { .. });
    if check.probes.is_empty() {
        Some("the check names no probe")
    } else if check.probes.iter().any(asks_http) && doors(check, command).is_empty() {
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

pub(crate) fn refused(command: &Command, reason: RefusedBecause) -> Answer {
    Answer::CommandRefused(events::CommandRefused {
        command: command.id.clone(),
        reason,
        highest: command.fence(),
    })
}
