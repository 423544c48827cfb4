//! Which agents were there, and when.

use std::collections::BTreeMap;

use events::{MachineName, Timestamp};

#[derive(Debug, Default)]
pub(crate) struct Presence {
    seen: BTreeMap<MachineName, Timestamp>,
}

impl Presence {
    pub(crate) fn seen(&mut self, machine: MachineName, now: Timestamp) {
        self.seen.insert(machine, now);
    }

    pub(crate) fn last_seen(&self, machine: &MachineName) -> Option<Timestamp> {
        self.seen.get(machine).copied()
    }

    pub(crate) fn count_since(&self, since: Timestamp) -> usize {
        self.seen.values().filter(|seen| **seen >= since).count()
    }
}
