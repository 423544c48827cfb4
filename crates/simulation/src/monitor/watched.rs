//! What a watch is for.

use events::{Answer, CommandId, Decision, Event, Outcome, ServerName};
use rollout::{Stage, State, Step, Way};

use super::{Committed, Monitor};
use crate::invariant::Invariant;

impl Monitor {
    /// S7: a watch is over before the next batch begins, and one that regressed is no success.
    pub(super) fn watched(&mut self, committed: &Committed<'_>) {
        for (event, _) in committed.events {
            match event {
                Event::Answer(Answer::Regressed(e)) => {
                    self.regressed.insert(e.command.clone());
                }
                Event::Answer(Answer::Steady(e)) => {
                    self.regressed.retain(|id| {
                        (id.rollout, &id.server) != (e.command.rollout, &e.command.server)
                    });
                }
                Event::Decision(Decision::BatchStarted(e)) => {
                    let open = watched_in(committed.after);
                    let other = open.iter().find(|name| !e.servers.contains(name));
                    if let Some(name) = other {
                        let what = format!("batch {} began while {name} was watched", e.batch);
                        self.violated(Invariant::S7, what);
                    }
                }
                Event::Decision(Decision::RolloutFinished(e))
                    if e.outcome == Outcome::Succeeded =>
                {
                    let of = |id: &&CommandId| id.rollout.rollout() == Some(e.rollout);
                    if let Some(id) = self.regressed.iter().find(of) {
                        let what =
                            format!("{} succeeded, and {} had regressed", e.rollout, id.server);
                        self.violated(Invariant::S7, what);
                    }
                }
                Event::Answer(_) | Event::Decision(_) => {}
            }
        }
    }
}

fn watched_in(state: &State) -> Vec<ServerName> {
    let members = state.rollout.iter().flat_map(|rollout| &rollout.members);
    let watched =
        members.filter(|(_, member)| member.stage == Stage::At(Way::Forward, Step::Watch));
    watched.map(|(name, _)| name.clone()).collect()
}
