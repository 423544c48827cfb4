//! Where the time of a batch goes, from the times in its events: pure.
//!
//! Servers of a batch go side by side, so what counts is the one that was ready last. A moment
//! belongs to the step that a worker carries out on that server; where that server waits for its
//! machine's agent, to what the agent does meanwhile for another one; before the first batch, to
//! the downloads of all. What is left is nobody's work: commands and answers on their way, the
//! orchestrator, workers that have not looked yet.
//!
//! An agent's work begins when it says so, a drain as long ago as its controller says; a check and
//! a restore, whose workers do not say, when they are issued. Work ends when its worker says so, by
//! the worker's own clock; one of several balancers' answers counts when it is the last.

use ::tests::world::Happened;
use events::{Answer, CommandId, Decision, Event, MachineName, RolloutId, ServerName, Work};
use std::collections::BTreeMap;

/// What time is spent on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Part {
    Fetch,
    Drain,
    Install,
    Check,
    Test,
    Restore,
    Watch,
    Rest,
}

/// One batch.
#[derive(Debug)]
pub(super) struct Batch {
    /// From 1.
    pub(super) number: u32,
    /// How many servers.
    pub(super) servers: usize,
    from_ms: u64,
    to_ms: u64,
    spent: BTreeMap<Part, u64>,
}

/// One command's work.
#[derive(Debug, Clone)]
struct Span {
    server: ServerName,
    machine: MachineName,
    part: Part,
    from_ms: u64,
    to_ms: u64,
}

impl Part {
    pub(super) const ALL: [Self; 8] = [
        Self::Fetch,
        Self::Drain,
        Self::Install,
        Self::Check,
        Self::Test,
        Self::Restore,
        Self::Watch,
        Self::Rest,
    ];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Fetch => "fetch",
            Self::Drain => "drain",
            Self::Install => "install",
            Self::Check => "check",
            Self::Test => "test",
            Self::Restore => "restore",
            Self::Watch => "watch",
            Self::Rest => "rest",
        }
    }

    const fn of(work: &Work) -> Self {
        match work {
            Work::Fetch(_) => Self::Fetch,
            Work::Drain(_) | Work::Hold(_) => Self::Drain,
            Work::Install(_) => Self::Install,
            Work::Check(_) => Self::Check,
            Work::Test(_) => Self::Test,
            Work::Restore(_) => Self::Restore,
            Work::Watch(_) => Self::Watch,
        }
    }

    const fn is_the_agents(self) -> bool {
        matches!(self, Self::Fetch | Self::Install | Self::Test)
    }
}

impl Batch {
    /// The milliseconds of one part.
    pub(super) fn ms(&self, part: Part) -> u64 {
        self.spent.get(&part).copied().unwrap_or(0)
    }

    /// All of it, from the end of the former batch, or from the request, to its own end.
    pub(super) const fn whole_ms(&self) -> u64 {
        self.to_ms.saturating_sub(self.from_ms)
    }

    /// Cuts its time where some work begins or ends, and gives each piece to one part.
    fn spend(&mut self, names: &[ServerName], spans: &[Span]) {
        let (from, to) = (self.from_ms, self.to_ms);
        let inside = |span: &&Span| span.from_ms < to && span.to_ms > from;
        let spans: Vec<&Span> = spans.iter().filter(inside).collect();
        let own = spans.iter().filter(|span| names.contains(&span.server));
        let Some(last) = own.max_by_key(|span| span.to_ms) else {
            self.spent.insert(Part::Rest, self.whole_ms());
            return;
        };
        let ends = spans.iter().flat_map(|span| [span.from_ms, span.to_ms]);
        let mut cuts: Vec<u64> = ends
            .map(|at| at.clamp(from, to))
            .chain([from, to])
            .collect();
        cuts.sort_unstable();
        cuts.dedup();
        for pair in cuts.windows(2) {
            let covers = |span: &&&Span| span.from_ms <= pair[0] && span.to_ms >= pair[1];
            let works: Vec<&&Span> = spans.iter().filter(covers).collect();
            let own = works.iter().find(|span| span.server == last.server);
            let agent = works
                .iter()
                .find(|span| span.machine == last.machine && span.part.is_the_agents());
            let fetch = works.iter().find(|span| span.part == Part::Fetch);
            let part = own.or(agent).or(fetch).map_or(Part::Rest, |span| span.part);
            *self.spent.entry(part).or_default() += pair[1] - pair[0];
        }
    }
}

/// The batches of a rollout that is over.
pub(super) fn batches(events: &[Happened], rollout: RolloutId) -> Vec<Batch> {
    let mut found: Vec<(Batch, Vec<ServerName>)> = vec![];
    let mut from_ms = 0;
    for one in events {
        let Event::Decision(decision) = &one.event else {
            continue;
        };
        if decision.rollout().and_then(|of| of.rollout()) != Some(rollout) {
            continue;
        }
        let next = if let Decision::BatchStarted(started) = decision {
            Some(started)
        } else if let Decision::RolloutFinished(_) = decision {
            None
        } else {
            if let Decision::RolloutRequested(_) = decision {
                from_ms = one.at_ms;
            }
            continue;
        };
        if let Some((batch, _)) = found.last_mut() {
            batch.to_ms = one.at_ms;
            from_ms = one.at_ms;
        }
        if let Some(started) = next {
            let batch = Batch {
                number: started.batch,
                servers: started.servers.len(),
                from_ms,
                to_ms: from_ms,
                spent: BTreeMap::new(),
            };
            found.push((batch, started.servers.clone()));
        }
    }
    let spans = spans(events, rollout);
    let spent = found.into_iter().map(|(mut batch, names)| {
        batch.spend(&names, &spans);
        batch
    });
    spent.collect()
}

fn spans(events: &[Happened], rollout: RolloutId) -> Vec<Span> {
    let mut spans: BTreeMap<CommandId, Span> = BTreeMap::new();
    for one in events {
        match &one.event {
            Event::Decision(Decision::CommandIssued(issued)) => {
                let command = &issued.command;
                if command.rollout.rollout() == Some(rollout) {
                    let span = Span {
                        server: command.server.clone(),
                        machine: command.machine.clone(),
                        part: Part::of(&command.work),
                        from_ms: one.at_ms,
                        to_ms: one.at_ms,
                    };
                    spans.insert(command.id.clone(), span);
                }
            }
            Event::Answer(answer) => {
                if let Some(span) = answer.command().and_then(|id| spans.get_mut(id)) {
                    span.answered(answer, one.reported_ms);
                }
            }
            Event::Decision(_) => {}
        }
    }
    spans.into_values().collect()
}

impl Span {
    fn answered(&mut self, answer: &Answer, reported_ms: u64) {
        let is_first = self.to_ms <= self.from_ms;
        self.to_ms = self.to_ms.max(reported_ms);
        if let Answer::CommandStarted(_) = answer {
            self.from_ms = reported_ms;
        } else if let Answer::Drained(drained) = answer {
            let began = reported_ms.saturating_sub(drained.waited_ms);
            let began = began.max(self.from_ms);
            self.from_ms = if is_first {
                began
            } else {
                began.min(self.from_ms)
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(server: &str, machine: &str, part: Part, from_ms: u64, to_ms: u64) -> Span {
        Span {
            server: server.parse().unwrap(),
            machine: machine.parse().unwrap(),
            part,
            from_ms,
            to_ms,
        }
    }

    #[test]
    fn every_millisecond_belongs_to_one_part_and_nobodys_is_the_rest() {
        let mut batch = Batch {
            number: 1,
            servers: 2,
            from_ms: 100,
            to_ms: 200,
            spent: BTreeMap::new(),
        };
        let spans = [
            span("web9", "m9", Part::Fetch, 90, 110),
            span("web2", "m1", Part::Drain, 115, 120),
            span("web1", "m1", Part::Install, 125, 140),
            span("web2", "m1", Part::Install, 145, 160),
            span("web3", "m2", Part::Test, 160, 170),
            span("web2", "m1", Part::Restore, 180, 195),
        ];
        let names = ["web1", "web2"].map(|name| name.parse().unwrap());
        batch.spend(&names, &spans);
        let of = |part| batch.ms(part);
        assert_eq!((of(Part::Fetch), of(Part::Drain)), (10, 5));
        // Its own fifteen, and the fifteen for which its agent had web1 to do.
        assert_eq!(of(Part::Install), 30);
        assert_eq!(
            of(Part::Test),
            0,
            "another machine's work keeps nobody here waiting"
        );
        assert_eq!((of(Part::Restore), of(Part::Rest)), (15, 40));
        let sum: u64 = Part::ALL.iter().map(|part| batch.ms(*part)).sum();
        assert_eq!(sum, batch.whole_ms());
    }
}
