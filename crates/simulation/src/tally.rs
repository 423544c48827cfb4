//! Many walks, counted.

use std::collections::BTreeMap;
use std::fmt;

use crate::break_rule::Break;
use crate::invariant::{Invariant, Violation};
use crate::walk::{Walked, walk};

/// What many walks showed.
#[derive(Debug, Clone, Default)]
pub struct Tally {
    /// How many walks.
    pub walks: u64,
    /// Seeds of walks with a violation, with the first of each.
    pub failing: Vec<(u64, Violation)>,
    /// How often each invariant did not hold.
    pub by_invariant: BTreeMap<Invariant, u64>,
    /// How often a rollout ended so.
    pub outcomes: BTreeMap<String, u64>,
    steps: Vec<u64>,
}

/// Walks `runs` seeds from `first` on, on so many threads; the result does not depend on how many.
#[must_use]
pub fn walks(first: u64, runs: u64, broken: Option<Break>, threads: u64) -> Tally {
    let threads = threads.max(1);
    let mut tally = std::thread::scope(|scope| {
        let part = |part: u64| {
            let seeds = (first..first + runs).filter(move |seed| seed % threads == part);
            scope.spawn(move || Tally::of(seeds.filter_map(|seed| walk(seed, broken))))
        };
        let parts: Vec<_> = (0..threads).map(part).collect();
        let mut whole = Tally::default();
        for part in parts {
            if let Ok(part) = part.join() {
                whole.add(part);
            }
        }
        whole
    });
    tally.failing.sort_by_key(|(seed, _)| *seed);
    tally
}

impl Tally {
    fn of(walked: impl Iterator<Item = Walked>) -> Self {
        let mut tally = Self::default();
        for walked in walked {
            tally.walks += 1;
            tally.steps.push(walked.steps);
            for outcome in &walked.outcomes {
                *tally.outcomes.entry(outcome.to_string()).or_default() += 1;
            }
            for violation in &walked.violations {
                *tally.by_invariant.entry(violation.invariant).or_default() += 1;
            }
            if let Some(first) = walked.violations.into_iter().next() {
                tally.failing.push((walked.seed, first));
            }
        }
        tally
    }

    fn add(&mut self, other: Self) {
        self.walks += other.walks;
        self.steps.extend(other.steps);
        self.failing.extend(other.failing);
        for (outcome, count) in other.outcomes {
            *self.outcomes.entry(outcome).or_default() += count;
        }
        for (invariant, count) in other.by_invariant {
            *self.by_invariant.entry(invariant).or_default() += count;
        }
    }

    /// Steps of the median walk.
    #[must_use]
    pub fn steps_median(&self) -> u64 {
        let mut steps = self.steps.clone();
        steps.sort_unstable();
        steps.get(steps.len() / 2).copied().unwrap_or(0)
    }

    /// How many of a thousand rollouts ended so.
    #[must_use]
    pub fn share_permille(&self, outcome: &str) -> u64 {
        let all: u64 = self.outcomes.values().sum();
        self.outcomes.get(outcome).copied().unwrap_or(0) * 1000 / all.max(1)
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for outcome in self.outcomes.keys() {
            let permille = self.share_permille(outcome);
            writeln!(f, "{outcome}: {}.{} %", permille / 10, permille % 10)?;
        }
        writeln!(f, "steps of the median walk: {}", self.steps_median())?;
        write!(
            f,
            "walks: {}, violations: {}",
            self.walks,
            self.failing.len()
        )
    }
}
