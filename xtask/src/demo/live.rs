//! The rollouts as they go: a line for each batch, and for each step of a server.

use events::{Answer, CommandId, Decision, Event};
use std::collections::BTreeMap;
use std::time::Duration;
use tests::customers::Progress;
use tests::world::Happened;
use tokio::sync::watch;
use tokio::time::Instant;

/// Says on stderr what happens.
#[derive(Debug)]
pub(crate) struct Live {
    begun: Instant,
    customers: watch::Receiver<Progress>,
    shown: usize,
    issued: BTreeMap<CommandId, u64>,
}

impl Live {
    /// From now on, beside what customers see.
    pub(crate) fn new(customers: watch::Receiver<Progress>) -> Self {
        Self {
            begun: Instant::now(),
            customers,
            shown: 0,
            issued: BTreeMap::new(),
        }
    }

    /// Shows what is new among all events so far.
    pub(crate) fn show(&mut self, events: &[Happened]) {
        for one in events.iter().skip(self.shown) {
            if let Some(line) = self.line(one) {
                self.say(&line);
            }
        }
        self.shown = events.len();
    }

    /// Says something, with the time and what customers have seen so far.
    pub(crate) fn say(&self, line: &str) {
        let seen = *self.customers.borrow();
        let at = round(self.begun.elapsed());
        eprintln!(
            "{at:>6.1} s {:>6} requests {:>2} failed  {line}",
            seen.requests, seen.failed
        );
    }

    fn line(&mut self, one: &Happened) -> Option<String> {
        match &one.event {
            Event::Decision(decision) => self.decided(one.at_ms, decision),
            Event::Answer(answer) => {
                let command = answer.command()?;
                let word = word(answer)?;
                let took = one.at_ms.saturating_sub(*self.issued.get(command)?);
                let (server, step) = (&command.server, &command.step);
                Some(format!("  {server} {step:<12} {word} {took:>5} ms"))
            }
        }
    }

    fn decided(&mut self, at_ms: u64, decision: &Decision) -> Option<String> {
        match decision {
            Decision::CommandIssued(issued) => {
                self.issued.insert(issued.command.id.clone(), at_ms);
                None
            }
            Decision::RolloutRequested(e) => Some(format!("{} was asked for", e.version)),
            Decision::BatchStarted(e) => {
                let names: Vec<&str> = e.servers.iter().map(|server| server.as_str()).collect();
                Some(format!("batch {}: {}", e.batch, names.join(", ")))
            }
            Decision::StepTimedOut(e) => Some(format!(
                "  {} {} timed out",
                e.command.server, e.command.step
            )),
            Decision::Halted(_) => Some("halted".to_owned()),
            Decision::RollbackStarted(_) => Some("going back".to_owned()),
            Decision::RolloutFinished(e) => Some(format!("{}: {}", e.outcome, e.reason)),
            Decision::RolloutRejected(e) => Some(format!("rejected: {} {}", e.reason, e.detail)),
            Decision::OwnershipTaken(_)
            | Decision::OwnerChanged(_)
            | Decision::ServiceDefined(_)
            | Decision::Adopted(_)
            | Decision::AgentEnrolled(_)
            | Decision::AgentRevoked(_)
            | Decision::Queued(_)
            | Decision::Superseded(_)
            | Decision::RolloutPlanned(_)
            | Decision::ApprovalGiven(_)
            | Decision::ApprovalRefused(_)
            | Decision::ApprovalExpired(_)
            | Decision::Paused(_)
            | Decision::Resumed(_)
            | Decision::AbortRequested(_)
            | Decision::RetryRequested(_)
            | Decision::ServerExcluded(_)
            | Decision::ServerReleased(_)
            | Decision::ServerJoined(_)
            | Decision::GatesPassed(_)
            | Decision::GateAwaited(_)
            | Decision::GateOverridden(_)
            | Decision::OverrideRefused(_)
            | Decision::FreezeSet(_)
            | Decision::FreezeLifted(_)
            | Decision::PromotionSeen(_)
            | Decision::TakeOverRequested(_) => None,
        }
    }
}

/// How a step ended; none for what ends no step.
fn word(answer: &Answer) -> Option<String> {
    let word = answer.kind().trim_start_matches("poolshift.");
    if let Answer::CommandStarted(_) = answer {
        return None;
    }
    let balancer = if let Answer::Drained(e) = answer {
        Some(&e.balancer)
    } else if let Answer::Restored(e) = answer {
        Some(&e.balancer)
    } else if let Answer::Held(e) = answer {
        Some(&e.balancer)
    } else {
        None
    };
    let word = balancer.map_or_else(|| word.to_owned(), |name| format!("{word} on {name}"));
    Some(format!("{word:<16}"))
}

fn round(time: Duration) -> f64 {
    f64::from(u32::try_from(time.as_millis() / 100).unwrap_or(u32::MAX)) / 10.0
}
