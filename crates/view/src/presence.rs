//! Which agents were there, when, and in which version.

use std::collections::BTreeMap;

use events::{MachineName, Timestamp};

#[derive(Debug, Default)]
pub(crate) struct Presence {
    seen: BTreeMap<MachineName, Seen>,
}

#[derive(Debug)]
struct Seen {
    at: Timestamp,
    version: Option<String>,
}

impl Presence {
    pub(crate) fn seen(&mut self, machine: MachineName, now: Timestamp, version: Option<&str>) {
        let seen = self.seen.entry(machine).or_insert_with(|| Seen {
            at: now,
            version: None,
        });
        seen.at = now;
        if let Some(version) = version {
            seen.version = Some(version.to_owned());
        }
    }

    pub(crate) fn last_seen(&self, machine: &MachineName) -> Option<Timestamp> {
        self.seen.get(machine).map(|seen| seen.at)
    }

    pub(crate) fn version(&self, machine: &MachineName) -> Option<String> {
        self.seen.get(machine)?.version.clone()
    }

    pub(crate) fn count_since(&self, since: Timestamp) -> usize {
        self.seen.values().filter(|seen| seen.at >= since).count()
    }
}
