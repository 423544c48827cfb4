//! What must always hold, checked against what really is and what really was said.

use std::collections::{BTreeMap, BTreeSet};

use events::{
    Answer, CastVote, Command, CommandId, Decision, Epoch, Event, Outcome, Report, ReportId,
    RolloutId, ServerName, Work,
};
use lb_controller::Admin;
use rollout::{Phase, State};

use crate::fleet::{Haproxy, Host, ONLINE};
use crate::owner::Pending;
use crate::scenario::Scenario;

/// An invariant of the design.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Invariant {
    /// A drain never leaves fewer than the floor UP.
    S1,
    /// An unproven server is never put online and gets no request.
    S2,
    /// One rollout at a time; none is dropped silently.
    S3,
    /// No command without the votes.
    S4,
    /// State is the fold of the events.
    S5,
    /// Duplicates, late answers, stale commands and stale orchestrators change nothing.
    S6,
    /// At most one batch runs an unproven version.
    S7,
    /// A piece of work is started once.
    S8,
    /// Every wait ends; nothing is forgotten.
    L1,
}

/// One violation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// Of which invariant.
    pub invariant: Invariant,
    /// What happened.
    pub what: String,
}

/// Watches one walk.
#[derive(Debug)]
pub(crate) struct Monitor {
    floor: usize,
    gated: bool,
    pub(crate) violations: Vec<Violation>,
    pub(crate) outcomes: Vec<Outcome>,
    pub(crate) zombie_refused: u64,
    /// Why asks were not taken, for the trace.
    pub(crate) refused: Vec<String>,
    pub(crate) released: BTreeSet<ServerName>,
    begun: BTreeSet<CommandId>,
    planned: Option<RolloutId>,
    open: BTreeSet<RolloutId>,
    consumed: BTreeMap<ReportId, bool>,
    votes: BTreeMap<RolloutId, BTreeSet<String>>,
    fallen: BTreeSet<(usize, ServerName)>,
}

impl Monitor {
    pub(crate) fn new(scenario: &Scenario) -> Self {
        Self {
            floor: scenario.floor,
            gated: scenario.gated,
            violations: Vec::new(),
            outcomes: Vec::new(),
            zombie_refused: 0,
            refused: Vec::new(),
            released: BTreeSet::new(),
            begun: BTreeSet::new(),
            planned: None,
            open: BTreeSet::new(),
            consumed: BTreeMap::new(),
            votes: BTreeMap::new(),
            fallen: BTreeSet::new(),
        }
    }

    pub(crate) fn violated(&mut self, invariant: Invariant, what: String) {
        self.violations.push(Violation { invariant, what });
    }

    /// S8.
    pub(crate) fn began(&mut self, command: &Command) {
        if !self.begun.insert(command.id.clone()) {
            self.violated(Invariant::S8, format!("{} was started twice", command.id));
        }
    }

    /// S2, the customers' half.
    pub(crate) fn served_unproven(&mut self, server: &ServerName) {
        if !self.released.contains(server) {
            self.violated(
                Invariant::S2,
                format!("a customer reached {server}, unproven"),
            );
        }
    }

    /// S2, our half, and S1 at the moment of the act.
    pub(crate) fn sets_state(
        &mut self,
        haproxy: &mut Haproxy,
        hosts: &BTreeMap<ServerName, Host>,
        (backend, line, to): (&str, &str, Admin),
        drains: bool,
    ) {
        let Ok(server) = line.parse::<ServerName>() else {
            return;
        };
        if backend != ONLINE {
            return;
        }
        let host = hosts.get(&server);
        let was = haproxy.lines.get(&server).map(|line| line.online);
        if to == Admin::Ready && was != Some(Admin::Ready) {
            if host.is_some_and(|host| host.tainted) && !self.released.contains(&server) {
                self.violated(Invariant::S2, format!("{server} was put online unproven"));
            }
            if let Some(line) = haproxy.lines.get_mut(&server) {
                line.below_floor = false;
            }
            return;
        }
        let takes_up = was == Some(Admin::Ready) && host.is_some_and(Host::is_up);
        let left = haproxy
            .serving(hosts)
            .filter(|other| **other != server)
            .count();
        if drains
            && takes_up
            && left < self.floor
            && let Some(line) = haproxy.lines.get_mut(&server)
        {
            line.below_floor = true;
        }
    }

    /// S1 when a controller says that a drain is done.
    pub(crate) fn pool_answer(&mut self, haproxies: &mut [Haproxy], index: usize, answer: &Answer) {
        let Answer::Drained(drained) = answer else {
            return;
        };
        let server = &drained.command.server;
        let line = haproxies
            .get_mut(index)
            .and_then(|haproxy| haproxy.lines.get_mut(server));
        let Some(line) = line else { return };
        if line.below_floor && self.fallen.insert((index, server.clone())) {
            self.violated(
                Invariant::S1,
                format!("{server} was drained below the floor"),
            );
        }
        line.below_floor = false;
    }

    /// A decision is in the log.
    pub(crate) fn committed(&mut self, pending: &Pending, epoch: Epoch, owner: Epoch) {
        let settled = &pending.settled;
        if epoch != owner && !settled.events.is_empty() {
            self.violated(
                Invariant::S6,
                format!("epoch {epoch} wrote after epoch {owner}"),
            );
        }
        if let Some(heard) = &pending.heard {
            let direct = settled.direct > 0;
            let before = self.consumed.insert(heard.id, direct);
            if before == Some(true) && direct && is_word(&heard.report) {
                self.violated(
                    Invariant::S6,
                    format!("{:?} counted twice", heard.report.kind()),
                );
            }
            self.late_answer(pending, &heard.report);
            if let Report::Ask(events::Ask::CastVote(vote)) = &heard.report {
                self.vote(pending, vote);
            }
        }
        for (event, _) in &settled.events {
            self.decided(&pending.before, event);
        }
        self.one_batch(&settled.state);
    }

    /// S6: an answer to anything but the outstanding command changes nothing.
    fn late_answer(&mut self, pending: &Pending, report: &Report) {
        let Report::Answer(answer) = report else {
            return;
        };
        let Some(id) = answer.command() else { return };
        let server = pending.before.servers.get(&id.server);
        let outstanding = server.and_then(|server| server.outstanding.as_ref());
        let named = outstanding.is_some_and(|outstanding| outstanding.command.id == *id);
        let counted = pending
            .settled
            .events
            .first()
            .is_some_and(|(event, _)| matches!(event, Event::Answer(other) if other == answer))
            && pending.settled.direct > 0;
        if !named && counted {
            self.violated(
                Invariant::S6,
                format!("late {} of {id} counted", answer.kind()),
            );
        }
    }

    /// A vote that counts for S4: by its own words, not by the brain's.
    fn vote(&mut self, pending: &Pending, vote: &CastVote) {
        let rollout = pending.before.rollout.as_ref();
        let valid = rollout.is_some_and(|rollout| {
            rollout.id() == vote.rollout
                && rollout.digest == vote.digest
                && vote.roles.iter().any(|role| role == "managers")
                && !["p_asker", "p_author"].contains(&vote.person.as_str())
                && rollout
                    .plan
                    .gates
                    .iter()
                    .all(|gate| pending.at < gate.until)
        });
        if valid {
            self.votes
                .entry(vote.rollout)
                .or_default()
                .insert(vote.person.to_string());
        }
    }

    fn decided(&mut self, before: &State, event: &Event) {
        let Event::Decision(decision) = event else {
            return;
        };
        match decision {
            Decision::RolloutRequested(e) => {
                self.open.insert(e.rollout);
            }
            Decision::RolloutPlanned(e) => {
                if let Some(running) = self.planned.replace(e.rollout) {
                    let what = format!("{} was planned while {running} ran", e.rollout);
                    self.violated(Invariant::S3, what);
                }
            }
            Decision::RolloutRejected(e) => {
                self.open.remove(&e.rollout);
            }
            Decision::Superseded(e) => {
                self.open.remove(&e.rollout);
            }
            Decision::RolloutFinished(e) => {
                self.open.remove(&e.rollout);
                if self.planned == Some(e.rollout) {
                    self.planned = None;
                    self.outcomes.push(e.outcome.clone());
                }
            }
            Decision::CommandIssued(e) => self.issued(before, &e.command),
            _ => {}
        }
    }

    /// S4.
    fn issued(&mut self, _before: &State, command: &Command) {
        let Some(rollout) = command.rollout.rollout().filter(|_| self.gated) else {
            return;
        };
        let voted = self
            .votes
            .get(&rollout)
            .is_some_and(|votes| !votes.is_empty());
        if !voted && !matches!(command.work, Work::Hold(_)) {
            self.violated(Invariant::S4, format!("{} without a vote", command.id));
        }
    }

    /// S7.
    fn one_batch(&mut self, state: &State) {
        let Some(rollout) = &state.rollout else {
            return;
        };
        let largest = rollout.plan.batches.iter().map(Vec::len).max().unwrap_or(0);
        let unproven: Vec<&ServerName> = state
            .servers
            .iter()
            .filter(|(name, server)| server.unproven && !self.released.contains(*name))
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

    /// S3 and L1 at the end of a walk.
    pub(crate) fn ended(&mut self) {
        for rollout in std::mem::take(&mut self.open) {
            self.violated(Invariant::S3, format!("{rollout} was dropped silently"));
        }
    }
}

/// Words of people: they must count once.
fn is_word(report: &Report) -> bool {
    matches!(report, Report::Ask(ask) if !matches!(ask, events::Ask::CastVote(_)))
}
