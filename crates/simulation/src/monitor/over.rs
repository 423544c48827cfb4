//! S3: a rollout that is over is over. S7: one batch at a time. L1: nobody asks in circles.

use events::{ServerName, Timestamp, Work};
use rollout::{Phase, Stage, State, wake_at};

use super::Monitor;
use crate::invariant::Invariant;

impl Monitor {
    /// S3: what is installed or tested for a rollout that is over would be a second one beside the
    /// next.
    pub(super) fn over_is_over(&mut self, state: &State) {
        let running = state.rollout.as_ref().map(|rollout| rollout.id());
        for server in state.servers.values() {
            let Some(outstanding) = &server.outstanding else {
                continue;
            };
            let command = &outstanding.command;
            let works = matches!(command.work, Work::Install(_) | Work::Test(_));
            if works && command.rollout.rollout() != running {
                self.violated(
                    Invariant::S3,
                    format!("{} is outstanding, and its rollout is over", command.id),
                );
            }
        }
    }

    /// L1: an owner that is asked again at once, and decides nothing, would never do anything else.
    pub(super) fn asks_in_circles(&mut self, state: &State, at: Timestamp) {
        if let Some(wake) = wake_at(state).filter(|wake| *wake <= at) {
            let what = format!("asked again at once, for {wake}, and had just decided");
            self.violated(Invariant::L1, what);
        }
    }

    /// S7.
    pub(super) fn one_batch(&mut self, state: &State) {
        let Some(rollout) = &state.rollout else {
            return;
        };
        let largest = rollout.plan.batches.iter().map(Vec::len).max().unwrap_or(0);
        // One that a person has taken out of the rollout is no part of its batches any more.
        let excluded = |name: &ServerName| {
            let member = rollout.members.get(name);
            member.is_some_and(|member| member.stage == Stage::Excluded)
        };
        let unproven: Vec<&ServerName> = state
            .servers
            .iter()
            .filter(|(name, server)| server.unproven && !self.released.contains(*name))
            .filter(|(name, _)| !excluded(name))
            .map(|(name, _)| name)
            .collect();
        if unproven.len() > largest && rollout.phase != Phase::Gates {
            let what = format!(
                "{} unproven, batches of {largest}: {unproven:?}",
                unproven.len()
            );
            self.violated(Invariant::S7, what);
        }
    }
}
