//! When something is killed.

use super::kill::Dice;
use anyhow::Result;
use events::{Answer, CommandId, Decision, Event, RolloutId, RolloutRef};
use std::fmt::{self, Display, Formatter};
use std::time::Duration;
use tests::world::{Happened, History};
use tokio::time::sleep;

/// A whole rollout of four servers takes about this.
const LATEST_MS: u64 = 4_500;

/// Every step begins within this, or the rollout is in trouble.
const COMES: Duration = Duration::from_secs(60);

/// A moment within a rollout.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Moment {
    BeforeDrain,
    Draining,
    Installing,
    Testing,
    BeforeRestore,
    Restoring,
    /// So many milliseconds after the trigger.
    After(u64),
}

impl Moment {
    /// Those that have a name.
    pub(super) const NAMED: [Self; 6] = [
        Self::BeforeDrain,
        Self::Draining,
        Self::Installing,
        Self::Testing,
        Self::BeforeRestore,
        Self::Restoring,
    ];

    /// Any instant of a rollout.
    pub(super) fn random(dice: &mut Dice) -> Self {
        Self::After(dice.below(LATEST_MS))
    }

    /// Waits until it has come in this rollout; returns the server that is concerned, if one is.
    pub(super) async fn come(
        self,
        history: &mut History,
        rollout: RolloutId,
    ) -> Result<Option<String>> {
        if let Self::After(ms) = self {
            sleep(Duration::from_millis(ms)).await;
            return Ok(None);
        }
        let find = |events: &[Happened]| {
            let commands = events
                .iter()
                .filter_map(|one| self.is_marked_by(&one.event));
            let mut own = commands.filter(|id| id.rollout == RolloutRef::Rollout(rollout));
            own.next().map(|id| id.server.to_string())
        };
        let server = history.until(&format!("{self}"), COMES, find).await?;
        Ok(Some(server))
    }

    /// The command by whose event this moment is known.
    fn is_marked_by(self, event: &Event) -> Option<&CommandId> {
        let (started, issued) = match event {
            Event::Answer(Answer::CommandStarted(started)) => (Some(&started.command), None),
            Event::Decision(Decision::CommandIssued(issued)) => (None, Some(&issued.command.id)),
            Event::Answer(Answer::Fetched(fetched)) if self == Self::BeforeDrain => {
                return Some(&fetched.command);
            }
            Event::Answer(_) | Event::Decision(_) => return None,
        };
        let (id, step) = match self {
            Self::BeforeDrain | Self::After(_) => return None,
            Self::Draining => (issued, "drain"),
            Self::Installing => (started, "install"),
            Self::Testing => (started, "test"),
            // The last step before it: the command itself is issued with this one's answer.
            Self::BeforeRestore => (issued, "check-2"),
            Self::Restoring => (issued, "restore"),
        };
        id.filter(|id| id.step == step)
    }
}

impl Display for Moment {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        let text = match self {
            Self::BeforeDrain => "before Drain",
            Self::Draining => "draining",
            Self::Installing => "installing",
            Self::Testing => "testing",
            Self::BeforeRestore => "before Restore",
            Self::Restoring => "restoring",
            Self::After(ms) => return out.pad(&format!("{ms} ms after the start")),
        };
        out.pad(text)
    }
}
