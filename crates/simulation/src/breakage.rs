//! Which invariant notices that a rule is broken: a rule that nothing notices carries nothing, or
//! the walk is too tame.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::break_rule::Break;
use crate::invariant::Violation;
use crate::walk::walk;

/// What came of breaking one rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Breakage {
    /// The rule.
    pub rule: Break,
    /// The first seed that notices, and what it notices; none when no seed does.
    pub caught: Option<(u64, Violation)>,
}

/// The first of `runs` seeds that notices a broken rule, and what it noticed.
#[must_use]
pub fn notices(first: u64, runs: u64, broken: Break) -> Option<(u64, Violation)> {
    (first..first + runs).find_map(|seed| {
        let violations = walk(seed, Some(broken))?.violations;
        violations
            .into_iter()
            .next()
            .map(|violation| (seed, violation))
    })
}

/// Breaks one rule after the other, each in up to `runs` walks; the result does not depend on how
/// many threads do it.
#[must_use]
pub fn break_each(rules: &[Break], first: u64, runs: u64, threads: u64) -> Vec<Breakage> {
    let next = AtomicUsize::new(0);
    let found = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..threads.max(1) {
            scope.spawn(|| {
                while let Some(rule) = rules.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let caught = notices(first, runs, *rule);
                    let breakage = Breakage {
                        rule: *rule,
                        caught,
                    };
                    if let Ok(mut found) = found.lock() {
                        found.push(breakage);
                    }
                }
            });
        }
    });
    let mut found = found.into_inner().unwrap_or_default();
    let place = |rule: Break| rules.iter().position(|other| *other == rule);
    found.sort_by_key(|breakage| place(breakage.rule));
    found
}
