//! S3: a rollout that is over is over.

use events::Work;
use rollout::State;

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
}
