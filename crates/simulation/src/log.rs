//! The streams, as the bus promises them: ordered, owned by one, compacted by key.

use std::collections::BTreeMap;
use std::sync::Arc;

use events::{Cause, CommandRecord, Epoch, Event, ServerName, Timestamp};
use rollout::{Heard, Stamp, State, apply};

/// One event in the log.
#[derive(Debug, Clone)]
pub(crate) struct Logged {
    pub(crate) event: Event,
    pub(crate) at: Timestamp,
    pub(crate) cause: Cause,
}

/// The three streams of one partition with one target.
#[derive(Debug, Clone, Default)]
pub(crate) struct Log {
    pub(crate) reports: Vec<Heard>,
    pub(crate) events: Vec<Logged>,
    /// Every record ever published, by server, oldest first. Compaction may have taken all but
    /// the last.
    pub(crate) commands: BTreeMap<ServerName, Vec<Arc<CommandRecord>>>,
    /// The owner's epoch.
    pub(crate) owner: Epoch,
    /// Reports consumed, as of the last commit.
    pub(crate) consumed: usize,
}

impl Log {
    pub(crate) fn latest(&self, server: &ServerName) -> Option<&CommandRecord> {
        self.commands
            .get(server)
            .and_then(|records| records.last().map(Arc::as_ref))
    }

    /// The fold of the first `length` events.
    pub(crate) fn fold(&self, mut state: State, length: usize) -> State {
        for logged in self.events.iter().take(length) {
            logged.fold_into(&mut state);
        }
        state
    }
}

impl Logged {
    pub(crate) fn fold_into(&self, state: &mut State) {
        let stamp = Stamp {
            at: self.at,
            cause: self.cause,
        };
        apply(state, &self.event, stamp);
    }
}

/// One event in a line: its name, and its body without what is long.
pub(crate) fn line(event: &Event) -> String {
    let body = event.to_bytes();
    let body = String::from_utf8_lossy(&body);
    let short: String = body.chars().take(260).collect();
    format!("{} {short}", event.kind())
}
