//! What must always hold, checked against what really is and what really was said.

mod gates;
mod over;
mod watched;

use std::collections::{BTreeMap, BTreeSet};

use events::{
    Answer, BalancerName, CastVote, Cause, Command, CommandId, Decision, Epoch, Event, Outcome,
    Report, ReportId, RolloutId, ServerName, Timestamp, Work,
};
use lb_controller::Admin;
use rollout::{Heard, Stage, State};

use crate::fleet::{Haproxy, Host, ONLINE};
use crate::invariant::{Invariant, Violation};
use crate::scenario::Scenario;

/// A decision that is in the log.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Committed<'a> {
    pub(crate) before: &'a State,
    pub(crate) after: &'a State,
    pub(crate) events: &'a [(Event, Cause)],
    /// How many of the events the report itself led to.
    pub(crate) direct: usize,
    pub(crate) heard: Option<&'a Heard>,
    pub(crate) at: Timestamp,
    /// Of whom decided it.
    pub(crate) epoch: Epoch,
    /// Of the owner.
    pub(crate) owner: Epoch,
}

/// Watches one walk.
#[derive(Debug)]
pub(crate) struct Monitor {
    floor: usize,
    gated: bool,
    pub(crate) violations: Vec<Violation>,
    pub(crate) outcomes: Vec<Outcome>,
    pub(crate) zombie_refused: u64,
    pub(crate) released: BTreeSet<ServerName>,
    begun: BTreeSet<CommandId>,
    issued: BTreeSet<CommandId>,
    planned: Option<RolloutId>,
    open: BTreeSet<RolloutId>,
    consumed: BTreeMap<ReportId, bool>,
    votes: BTreeMap<RolloutId, BTreeSet<String>>,
    fallen: BTreeSet<(BalancerName, ServerName)>,
    regressed: BTreeSet<CommandId>,
    gates: gates::Gates,
}

impl Monitor {
    pub(crate) fn new(scenario: &Scenario) -> Self {
        Self {
            floor: scenario.floor,
            gated: scenario.gated,
            violations: Vec::new(),
            outcomes: Vec::new(),
            zombie_refused: 0,
            released: BTreeSet::new(),
            begun: BTreeSet::new(),
            issued: BTreeSet::new(),
            planned: None,
            open: BTreeSet::new(),
            consumed: BTreeMap::new(),
            votes: BTreeMap::new(),
            fallen: BTreeSet::new(),
            regressed: BTreeSet::new(),
            gates: gates::Gates::default(),
        }
    }

    pub(crate) fn violated(&mut self, invariant: Invariant, what: String) {
        self.violations.push(Violation { invariant, what });
    }

    /// S8; S5: what was never decided is not begun; and S6: nor what came too late.
    pub(crate) fn began(&mut self, command: &Command, wall: Timestamp) {
        if wall > command.issued_at.plus_ms(command.start_within_ms) {
            let what = format!("{} was started after its time to begin", command.id);
            self.violated(Invariant::S6, what);
        }
        if !self.issued.contains(&command.id) {
            self.violated(
                Invariant::S5,
                format!("{} was started, and is not in the log", command.id),
            );
        }
        if !self.begun.insert(command.id.clone()) {
            self.violated(Invariant::S8, format!("{} was started twice", command.id));
        }
    }

    /// S2, the proof's part: what is not up was called healthy.
    pub(crate) fn called_healthy(&mut self, server: &ServerName) {
        let what = format!("{server} is not up, and was called healthy");
        self.violated(Invariant::S2, what);
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
        let tainted = host.is_some_and(|host| host.tainted);
        let Some(line) = haproxy.lines.get_mut(&server) else {
            return;
        };
        if !takes_up {
            return;
        }
        if drains {
            line.below_floor |= left < self.floor && !line.by_hand;
        } else if !tainted && !line.by_hand {
            self.violated(
                Invariant::S1,
                format!("{server} was taken out, and not by a drain: nobody judged the floor"),
            );
        }
    }

    /// S1 when a controller says that a drain is done.
    pub(crate) fn pool_answer(
        &mut self,
        haproxy: &mut Haproxy,
        hosts: &BTreeMap<ServerName, Host>,
        answer: &Answer,
    ) {
        let Answer::Drained(drained) = answer else {
            return;
        };
        let server = &drained.command.server;
        let is_below = haproxy.serving(hosts).count() < self.floor;
        let Some(line) = haproxy.lines.get_mut(server) else {
            return;
        };
        if line.below_floor
            && is_below
            && self.fallen.insert((haproxy.name.clone(), server.clone()))
        {
            self.violated(
                Invariant::S1,
                format!("{server} was drained below the floor"),
            );
        }
        line.below_floor = false;
    }

    /// A decision is in the log.
    pub(crate) fn committed(&mut self, committed: &Committed<'_>) {
        let Committed { epoch, owner, .. } = *committed;
        if epoch != owner && !committed.events.is_empty() {
            self.violated(
                Invariant::S6,
                format!("epoch {epoch} wrote after epoch {owner}"),
            );
        }
        if let Some(heard) = committed.heard {
            let direct = committed.direct > 0;
            let before = self.consumed.insert(heard.id, direct);
            if before == Some(true) && direct && is_word(&heard.report) {
                self.violated(
                    Invariant::S6,
                    format!("{:?} counted twice", heard.report.kind()),
                );
            }
            self.late_answer(committed, &heard.report);
            if let Report::Ask(events::Ask::CastVote(vote)) = &heard.report {
                self.vote(committed, vote);
            }
        }
        for (event, _) in committed.events {
            self.decided(event);
            if let Event::Decision(decision) = event
                && let Some(what) = self.gates.decided(decision, committed.at)
            {
                self.violated(Invariant::S9, what);
            }
        }
        self.over_is_over(committed.after);
        self.asks_in_circles(committed.after, committed.at);
        self.one_batch(committed.after);
        self.watched(committed);
        self.nothing_forgotten(committed.after);
    }

    /// L1: a server that rests is not out.
    fn nothing_forgotten(&mut self, state: &State) {
        let members = state.rollout.iter().flat_map(|rollout| &rollout.members);
        let out = members
            .filter(|(_, member)| member.out)
            .find(|(_, member)| {
                matches!(
                    member.stage,
                    Stage::Waiting
                        | Stage::Done
                        | Stage::BackWaiting
                        | Stage::Returned
                        | Stage::Kept
                )
            });
        if let Some((name, member)) = out {
            let what = format!("{name} is out, and forgotten: {:?}", member.stage);
            self.violated(Invariant::L1, what);
        }
    }

    /// S6: an answer to anything but the outstanding command changes nothing.
    fn late_answer(&mut self, committed: &Committed<'_>, report: &Report) {
        let Report::Answer(answer) = report else {
            return;
        };
        let Some(id) = answer.command() else { return };
        let server = committed.before.servers.get(&id.server);
        let outstanding = server.and_then(|server| server.outstanding.as_ref());
        let named = outstanding.is_some_and(|outstanding| outstanding.command.id == *id);
        let counted = committed.direct > 0
            && committed
                .events
                .first()
                .is_some_and(|(event, _)| matches!(event, Event::Answer(other) if other == answer));
        if !named && counted {
            self.violated(
                Invariant::S6,
                format!("late {} of {id} counted", answer.kind()),
            );
        }
    }

    /// A vote that counts for S4: by its own words, not by the brain's.
    fn vote(&mut self, committed: &Committed<'_>, vote: &CastVote) {
        let rollout = committed.before.rollout.as_ref();
        let valid = rollout.is_some_and(|rollout| {
            rollout.id() == vote.rollout
                && rollout.digest == vote.digest
                && vote.roles.iter().any(|role| role == "managers")
                && !["p_asker", "p_author"].contains(&vote.person.as_str())
                && rollout
                    .plan
                    .gates
                    .iter()
                    .filter(|gate| gate.id == "approval")
                    .all(|gate| committed.at < gate.until.max(rollout.gated.grace_until))
        });
        if valid {
            self.votes
                .entry(vote.rollout)
                .or_default()
                .insert(vote.person.to_string());
        }
    }

    fn decided(&mut self, event: &Event) {
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
            Decision::CommandIssued(e) => self.issued(&e.command),
            Decision::OwnershipTaken(_)
            | Decision::OwnerChanged(_)
            | Decision::ServiceDefined(_)
            | Decision::Adopted(_)
            | Decision::AgentEnrolled(_)
            | Decision::AgentRevoked(_)
            | Decision::Queued(_)
            | Decision::ApprovalGiven(_)
            | Decision::ApprovalRefused(_)
            | Decision::ApprovalExpired(_)
            | Decision::BatchStarted(_)
            | Decision::StepTimedOut(_)
            | Decision::Paused(_)
            | Decision::Resumed(_)
            | Decision::AbortRequested(_)
            | Decision::RetryRequested(_)
            | Decision::Halted(_)
            | Decision::RollbackStarted(_)
            | Decision::ServerExcluded(_)
            | Decision::GatesPassed(_)
            | Decision::GateAwaited(_)
            | Decision::GateOverridden(_)
            | Decision::OverrideRefused(_)
            | Decision::FreezeSet(_)
            | Decision::FreezeLifted(_)
            | Decision::PromotionSeen(_)
            | Decision::TakeOverRequested(_)
            | Decision::ServerJoined(_)
            | Decision::ServerReleased(_) => {}
        }
    }

    /// S4.
    fn issued(&mut self, command: &Command) {
        self.issued.insert(command.id.clone());
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
