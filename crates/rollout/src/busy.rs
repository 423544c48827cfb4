//! A command whose agent has other work to end first. A machine does one thing at a time, and often
//! has servers of several services, whose rollouts know nothing of each other: the time to begin
//! must not run out while the machine is busy with somebody else's work.

use std::sync::Arc;

use events::{CommandId, CommandQueued, Target, Timestamp, Work};
use serde::{Deserialize, Serialize};

use crate::state::Outstanding;

/// The longest that one command waits for its machine, in all. Then it fails as a silent one does:
/// a machine that is always busy with others never gets to it.
pub const BUSY_MAX_MS: u64 = 6 * 3_600_000;

/// What an agent does before it begins.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Behind {
    /// The command that ran.
    pub command: CommandId,
    /// Whose it was.
    pub target: Target,
    /// The longest that it may take.
    pub at_most_ms: u64,
}

impl Outstanding {
    /// Whether it can wait behind that: it has not begun, and was not told so before.
    pub(crate) fn may_queue(&self, queued: &CommandQueued) -> bool {
        let known = |behind: &Behind| behind.command == queued.behind;
        let endless = matches!(self.command.work, Work::Hold(_));
        !self.started && !endless && !self.queued.iter().any(known) && self.may_wait_ms() > 0
    }

    /// It waits behind that. The command itself is given more time, so that its agent sees it too.
    pub(crate) fn queue(&mut self, queued: &CommandQueued, start_within_ms: u64, at: Timestamp) {
        let at_most_ms = queued.at_most_ms.min(self.may_wait_ms());
        self.queued.push(Behind {
            command: queued.behind.clone(),
            target: queued.behind_target.clone(),
            at_most_ms,
        });
        self.since = at;
        let command = Arc::make_mut(&mut self.command);
        command.issued_at = at;
        command.start_within_ms = start_within_ms.saturating_add(at_most_ms);
        command.deadline_at = at
            .plus_ms(command.start_within_ms)
            .plus_ms(command.timeout_ms);
    }

    fn may_wait_ms(&self) -> u64 {
        let given = self.queued.iter().map(|behind| behind.at_most_ms);
        BUSY_MAX_MS.saturating_sub(given.fold(0, u64::saturating_add))
    }
}
