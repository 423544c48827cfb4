//! Orchestrators: two of them, one of which owns the partition; the other may think that it does.

use events::{Cause, CommandRecord, Epoch, Event, Timestamp};
use rollout::{Heard, Input, Rules, Settled, State, records, settle};

use crate::break_rule::WorldRule;
use crate::log::Logged;
use crate::world::World;

/// One orchestrator.
#[derive(Debug, Clone)]
pub(crate) struct Owner {
    pub(crate) rules: Rules,
    /// Its clock is ahead by so much.
    pub(crate) skew_ms: u64,
    /// What it owns, as far as it knows.
    pub(crate) own: Option<Own>,
}

/// What an owner has in memory.
#[derive(Debug, Clone)]
pub(crate) struct Own {
    pub(crate) epoch: Epoch,
    pub(crate) state: State,
    pub(crate) consumed: usize,
    /// Decided and not committed yet.
    pub(crate) pending: Option<Pending>,
    /// As last published.
    pub(crate) published: Vec<CommandRecord>,
}

/// A decision on its way into the log.
#[derive(Debug, Clone)]
pub(crate) struct Pending {
    pub(crate) settled: Settled,
    pub(crate) before: State,
    pub(crate) heard: Option<Heard>,
    pub(crate) consumed: usize,
    pub(crate) at: Timestamp,
}

impl Owner {
    pub(crate) const fn new(rules: Rules, skew_ms: u64) -> Self {
        Self {
            rules,
            skew_ms,
            own: None,
        }
    }
}

impl World {
    pub(crate) fn owner_time(&self, index: usize) -> Timestamp {
        let skew_ms = self.owners.get(index).map_or(0, |owner| owner.skew_ms);
        self.wall().plus_ms(skew_ms)
    }

    /// Takes the partition: fences the former owner, folds, publishes every record anew.
    pub(crate) fn take_over(&mut self, index: usize, above: Epoch) {
        let Some(rules) = self.owners.get(index).map(|owner| owner.rules) else {
            return;
        };
        let epoch = self.log.owner.max(above) + 1 + u64::try_from(index).unwrap_or(0);
        self.log.owner = epoch;
        let all = self.log.events.len();
        let folded = if self.holds(WorldRule::Barrier) {
            all
        } else {
            all - self.dice.index(all.min(6) + 1)
        };
        let fresh = State::with_rules(self.scenario.target.clone(), rules);
        let state = self.log.fold(fresh, folded);
        let consumed = self.log.consumed;
        let publish_all = self.holds(WorldRule::AllRecordsPublished);
        let published = if publish_all {
            Vec::new()
        } else {
            records(&state)
        };
        let own = Own {
            epoch,
            state,
            consumed,
            pending: None,
            published,
        };
        if let Some(owner) = self.owners.get_mut(index) {
            owner.own = Some(own);
        }
        self.prepare(index, None, true);
        self.commit(index);
    }

    /// Decides the next report, or the clock, on a scratch copy.
    pub(crate) fn decide(&mut self, index: usize) {
        let Some(own) = self.owners.get(index).and_then(|owner| owner.own.as_ref()) else {
            return;
        };
        if own.pending.is_some() {
            return;
        }
        let heard = self.log.reports.get(own.consumed).cloned();
        self.prepare(index, heard, false);
    }

    fn prepare(&mut self, index: usize, heard: Option<Heard>, taking: bool) {
        let at = self.owner_time(index);
        let adopt_early = !self.holds(WorldRule::AdoptOnCommit);
        let Some(own) = self
            .owners
            .get_mut(index)
            .and_then(|owner| owner.own.as_mut())
        else {
            return;
        };
        let input = match &heard {
            _ if taking => Input::Owner(own.epoch),
            Some(heard) => Input::Report(heard),
            None => Input::Clock,
        };
        let settled = settle(&own.state, &input, at);
        if settled.events.is_empty() && heard.is_none() && !taking {
            return;
        }
        if let Some(why) = &settled.refused {
            self.monitor.refused.push(why.clone());
        }
        let consumed = own.consumed + usize::from(heard.is_some());
        let before = own.state.clone();
        if adopt_early {
            own.state = settled.state.clone();
        }
        let at = at.max(before.at);
        let early = settled.clone();
        own.pending = Some(Pending {
            settled,
            before,
            heard,
            consumed,
            at,
        });
        if !self.holds(WorldRule::IntentBeforeAct) {
            self.publish(index, &early.state);
        }
    }

    /// Events, changed records and the position: all of it or nothing.
    pub(crate) fn commit(&mut self, index: usize) {
        let current = self.log.owner;
        let fenced_by_bus = self.holds(WorldRule::BrokerFence) && self.holds(WorldRule::Fences);
        let Some(owner) = self.owners.get_mut(index) else {
            return;
        };
        let Some(own) = owner.own.as_mut() else {
            return;
        };
        let Some(pending) = own.pending.take() else {
            return;
        };
        if own.epoch != current && fenced_by_bus {
            // Fenced: it must not go on, and starts anew.
            self.monitor.zombie_refused += 1;
            owner.own = None;
            return;
        }
        let epoch = own.epoch;
        own.consumed = pending.consumed;
        own.state = pending.settled.state.clone();
        self.log.consumed = self.log.consumed.max(pending.consumed);
        for (event, cause) in &pending.settled.events {
            self.append(event.clone(), *cause, pending.at, epoch);
        }
        self.monitor.committed(&pending, epoch, current);
        self.publish(index, &pending.settled.state);
    }

    fn append(&mut self, event: Event, cause: Cause, at: Timestamp, epoch: Epoch) {
        self.log.events.push(Logged {
            event,
            at,
            cause,
            epoch,
        });
    }

    fn publish(&mut self, index: usize, state: &State) {
        let Some(own) = self
            .owners
            .get_mut(index)
            .and_then(|owner| owner.own.as_mut())
        else {
            return;
        };
        let now = records(state);
        let changed: Vec<CommandRecord> = now
            .iter()
            .filter(|record| !own.published.contains(record))
            .cloned()
            .collect();
        own.published = now;
        for record in changed {
            self.log
                .commands
                .entry(record.server().clone())
                .or_default()
                .push(record);
        }
    }

    /// An orchestrator that has learnt that a worker obeyed a higher epoch takes over above it.
    pub(crate) fn wants_above(&self, index: usize) -> Option<Epoch> {
        self.owners.get(index)?.own.as_ref()?.state.epoch_seen
    }
}
