//! Orchestrators: two of them, one of which owns the partition; the other may think that it does.

use std::collections::BTreeMap;
use std::sync::Arc;

use events::{Decision, Epoch, Event, Fence, RolloutFinished, ServerName, Timestamp};
use rollout::{Heard, Input, Rules, Server, Settled, State, decide, record, settle};

use crate::break_rule::WorldRule;
use crate::log::{Log, Logged, line};
use crate::monitor::Committed;
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
    pub(crate) published: Published,
}

/// The fence of each server's record, and whether it is a command.
pub(crate) type Published = BTreeMap<ServerName, (Fence, bool)>;

/// A decision on its way into the log.
#[derive(Debug, Clone)]
pub(crate) struct Pending {
    pub(crate) settled: Settled,
    /// What it was decided on, where that is not what the owner has in memory any more.
    pub(crate) before: Option<State>,
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
            Published::new()
        } else {
            fences(&state)
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
        let intent_first = self.holds(WorldRule::IntentBeforeAct);
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
        let by_clock = heard.is_none() && !taking;
        if by_clock
            && decide(&own.state, &input, at.max(own.state.at))
                .events
                .is_empty()
        {
            return;
        }
        let settled = settle(&own.state, &input, at);
        let consumed = own.consumed + usize::from(heard.is_some());
        let at = at.max(own.state.at);
        let early = (!intent_first).then(|| settled.state.clone());
        let adopted = adopt_early.then(|| settled.state.clone());
        let before = adopted.map(|state| std::mem::replace(&mut own.state, state));
        own.pending = Some(Pending {
            settled,
            before,
            heard,
            consumed,
            at,
        });
        if let Some(early) = early {
            publish(&mut self.log, &mut own.published, &early, true);
        }
    }

    /// Events, changed records and the position: all of it or nothing. Says whether there was
    /// anything to commit.
    pub(crate) fn commit(&mut self, index: usize) -> bool {
        let current = self.log.owner;
        let fenced_by_bus = self.holds(WorldRule::BrokerFence) && self.holds(WorldRule::Fences);
        let all_anew = self.holds(WorldRule::AllRecordsPublished);
        let Some(owner) = self.owners.get_mut(index) else {
            return false;
        };
        let Some(own) = owner.own.as_mut() else {
            return false;
        };
        let Some(pending) = own.pending.take() else {
            return false;
        };
        if own.epoch != current && fenced_by_bus {
            // Fenced: it must not go on, and starts anew.
            self.monitor.zombie_refused += 1;
            owner.own = None;
            return false;
        }
        let epoch = own.epoch;
        let Pending {
            settled,
            before,
            heard,
            consumed,
            at,
        } = pending;
        own.consumed = consumed;
        let memory = std::mem::replace(&mut own.state, settled.state);
        let before = before.unwrap_or(memory);
        let committed = Committed {
            before: &before,
            after: &own.state,
            events: &settled.events,
            direct: settled.direct,
            heard: heard.as_ref(),
            at,
            epoch,
            owner: current,
        };
        self.monitor.committed(&committed);
        self.log.consumed = self.log.consumed.max(consumed);
        let count = settled.events.len();
        for (event, cause) in settled.events {
            self.log.events.push(Logged { event, at, cause });
        }
        publish(&mut self.log, &mut own.published, &own.state, all_anew);
        let finished = settled_finish(&self.log, count);
        if let Some(finished) = finished {
            self.judge_finish(&finished);
        }
        if self.notes.is_some() {
            let length = self.log.events.len();
            for logged in self.log.events.iter().skip(length - count) {
                let line = format!("{} e{epoch} {}", logged.at, line(&logged.event));
                self.notes.get_or_insert_default().push(line);
            }
        }
        true
    }

    /// An orchestrator that has learnt that a worker obeyed a higher epoch takes over above it.
    pub(crate) fn wants_above(&self, index: usize) -> Option<Epoch> {
        self.owners.get(index)?.own.as_ref()?.state.epoch_seen
    }
}

/// The last rollout that ended in the last so many events.
fn settled_finish(log: &Log, count: usize) -> Option<RolloutFinished> {
    let finished = log.events.iter().rev().take(count).find_map(|logged| {
        let Event::Decision(Decision::RolloutFinished(finished)) = &logged.event else {
            return None;
        };
        Some(finished)
    });
    finished.cloned()
}

/// The records that have changed, as the bus publishes them.
fn publish(log: &mut Log, published: &mut Published, state: &State, all_anew: bool) {
    for (name, server) in &state.servers {
        let fence = fence(state, server);
        let same = published.get(name).is_some_and(|before| {
            *before == fence || (!all_anew && before.0.seq == fence.0.seq && before.1 == fence.1)
        });
        if !same {
            published.insert(name.clone(), fence);
            let record = Arc::new(record(state, name, server));
            log.commands.entry(name.clone()).or_default().push(record);
        }
    }
}

fn fence(state: &State, server: &Server) -> (Fence, bool) {
    server.outstanding.as_ref().map_or(
        (
            Fence {
                epoch: state.epoch,
                seq: server.seq,
            },
            false,
        ),
        |outstanding| (outstanding.command.fence(), true),
    )
}

fn fences(state: &State) -> Published {
    let servers = state.servers.iter();
    servers
        .map(|(name, server)| (name.clone(), fence(state, server)))
        .collect()
}
