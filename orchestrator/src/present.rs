//! The read view: what people see of a target and its rollouts.

mod gates;

use events::{
    Decision, Event, Outcome, RolloutId, RolloutRequested, ServerName, Timestamp, sha256,
};
use rollout::{
    Aside, Halt, Member, Phase, Rollout, Server, Stage, Stamp, State, Waiting, Way, queue_waiting,
    waiting,
};
use view::{
    AsOf, JenkinsView, MachineView, OutReason, Outstanding, PoolView, RolloutStatus, RolloutView,
    ServerOut, ServerProgress, ServerView, TargetView, View, WaitView,
};

use crate::subject::{MachineSlot, TargetSlot};

/// How many rollouts of a target are shown.
const SHOWN_MAX: usize = 100;

impl MachineSlot {
    pub(crate) fn show(&self, view: &View) {
        if self.last_key.is_none() && self.stopped.is_none() {
            return;
        }
        view.put_machine(MachineView {
            machine: self.machine.machine.clone(),
            public_key: self.last_key.clone().unwrap_or_default(),
            revoked: self.machine.public_key.is_none() && self.stopped.is_none(),
            stands_still: self.stopped.clone(),
        });
    }
}

impl TargetSlot {
    /// Keeps what the state forgets: when a rollout was asked for, began, and how it ended. Called
    /// with each event before it is folded.
    pub(crate) fn note(&mut self, event: &Event, stamp: Stamp) {
        let Event::Decision(decision) = event else {
            return;
        };
        match decision {
            Decision::RolloutRequested(e) => {
                let view = requested(&self.state, e, stamp.at);
                self.shown.insert(e.rollout, view);
                self.forget_old();
            }
            Decision::BatchStarted(e) => self.with(e.rollout, |view| {
                view.started_at.get_or_insert(stamp.at);
            }),
            Decision::RolloutRejected(e) => {
                let reason = format!("{}: {}", e.reason, e.detail);
                self.ended(e.rollout, Outcome::Rejected, reason, stamp.at);
            }
            Decision::Superseded(e) => {
                let reason = format!("rollout {} took its place", e.by);
                self.ended(e.rollout, Outcome::Superseded, reason, stamp.at);
            }
            Decision::RolloutFinished(e) => {
                self.refresh();
                self.with(e.rollout, |view| {
                    view.least_up = e.least_up;
                    view.finish = Some(e.clone());
                });
                self.ended(e.rollout, e.outcome.clone(), e.reason.clone(), stamp.at);
            }
            Decision::OwnershipTaken(_)
            | Decision::OwnerChanged(_)
            | Decision::ServiceDefined(_)
            | Decision::Adopted(_)
            | Decision::AgentEnrolled(_)
            | Decision::AgentRevoked(_)
            | Decision::Queued(_)
            | Decision::RolloutPlanned(_)
            | Decision::ApprovalGiven(_)
            | Decision::ApprovalRefused(_)
            | Decision::ApprovalExpired(_)
            | Decision::GatesPassed(_)
            | Decision::GateAwaited(_)
            | Decision::GateOverridden(_)
            | Decision::OverrideRefused(_)
            | Decision::FreezeSet(_)
            | Decision::FreezeLifted(_)
            | Decision::PromotionSeen(_)
            | Decision::TakeOverRequested(_)
            | Decision::CommandIssued(_)
            | Decision::StepTimedOut(_)
            | Decision::Paused(_)
            | Decision::Resumed(_)
            | Decision::AbortRequested(_)
            | Decision::RetryRequested(_)
            | Decision::Halted(_)
            | Decision::RollbackStarted(_)
            | Decision::ServerExcluded(_)
            | Decision::ServerJoined(_)
            | Decision::ServerReleased(_) => {}
        }
    }

    fn ended(&mut self, id: RolloutId, outcome: Outcome, reason: String, at: Timestamp) {
        self.with(id, |view| {
            view.status = RolloutStatus::Finished;
            view.outcome = Some(outcome);
            view.reason = Some(reason);
            view.finished_at = Some(at);
            view.waiting.clear();
        });
    }

    fn with(&mut self, id: RolloutId, change: impl FnOnce(&mut RolloutView)) {
        if let Some(view) = self.shown.get_mut(&id) {
            change(view);
        }
    }

    fn forget_old(&mut self) {
        while self.shown.len() > SHOWN_MAX {
            let over = self
                .shown
                .values()
                .filter(|view| view.finished_at.is_some());
            let Some(id) = over.min_by_key(|view| view.created_at).map(|view| view.id) else {
                return;
            };
            self.shown.remove(&id);
        }
    }

    /// Brings what is shown of the running and waiting rollouts up to the state.
    fn refresh(&mut self) {
        let waits = self.waits();
        if let Some(rollout) = &self.state.rollout
            && let Some(view) = self.shown.get_mut(&rollout.id())
        {
            running(view, &self.state, rollout);
            view.waiting = waits;
        }
        let queue = self.state.queue.iter();
        let queued: Vec<(RolloutId, WaitView)> = queue
            .map(|request| {
                let wait = queue_waiting(&self.state, request);
                (request.asked.rollout, shown(wait))
            })
            .collect();
        for (id, wait) in queued {
            self.with(id, |view| {
                view.status = RolloutStatus::Queued;
                view.waiting = vec![wait];
            });
        }
    }

    /// What is waited for. A target that stands still waits for a person, and for nothing else.
    fn waits(&self) -> Vec<WaitView> {
        if let Some(why) = &self.stopped {
            return vec![WaitView {
                what: format!("the target stands still: {why}"),
                until: None,
                person: true,
            }];
        }
        let all = waiting(&self.state, self.state.at).into_iter();
        all.map(shown).collect()
    }

    /// The target's document. There is none while nothing defines the target, unless it stands
    /// still: then that is shown, and what is not known is empty.
    fn target(&self) -> Option<TargetView> {
        let state = &self.state;
        let entry = state.entry.as_ref();
        if entry.is_none() && self.stopped.is_none() {
            return None;
        }
        let servers = servers(state);
        Some(TargetView {
            target: state.target.clone(),
            as_of: AsOf {
                n: state.n,
                at: state.at,
            },
            stands_still: self.stopped.clone(),
            owner: entry.map_or_else(String::new, |entry| entry.owner.clone()),
            entry_sha256: state.entry_sha256.unwrap_or_else(|| sha256(b"")),
            service: state.target.service().to_owned(),
            environment: state.target.environment().to_owned(),
            floor: entry.map_or(0, |entry| entry.rollout.floor.floor_of(entry.total())),
            servers,
            rollout: state.rollout.as_ref().map(|rollout| rollout.id()),
            jenkins: entry.and_then(|entry| entry.jenkins.as_ref()).map(jenkins),
            queue: state
                .queue
                .iter()
                .map(|request| request.asked.rollout)
                .collect(),
            waiting: self.waits(),
            freezes: gates::freezes(state),
        })
    }

    /// Puts everything into the view.
    pub(crate) fn show(&mut self, view: &View) {
        self.refresh();
        if let Some(target) = self.target() {
            view.put_target(target);
        }
        for rollout in self.shown.values() {
            view.put_rollout(rollout.clone());
        }
    }
}

fn requested(state: &State, asked: &RolloutRequested, at: Timestamp) -> RolloutView {
    RolloutView::accepted(
        asked.rollout,
        state.target.clone(),
        asked.version.clone(),
        asked.artifact.sha256,
        asked.content,
        asked.requested_by.clone(),
        at,
    )
}

fn shown(wait: Waiting) -> WaitView {
    WaitView {
        what: wait.what,
        until: wait.until,
        person: wait.person,
    }
}

fn running(view: &mut RolloutView, state: &State, rollout: &Rollout) {
    view.status = status(state, rollout);
    view.reason = why(rollout).or_else(|| rollout.failure.clone());
    view.plan_digest = Some(rollout.digest);
    view.batches.clone_from(&rollout.plan.batches);
    view.batch_now = (rollout.batch > 0).then_some(rollout.batch);
    view.floor = Some(rollout.plan.floor);
    view.least_up = rollout.least_up;
    view.no_way_back.clone_from(&rollout.plan.no_way_back);
    view.gates = gates::gates(state, rollout);
    let members = rollout
        .order
        .iter()
        .filter_map(|name| Some((name, rollout.members.get(name)?)));
    view.servers = members
        .map(|(name, member)| progress(state, name, member))
        .collect();
}

fn status(state: &State, rollout: &Rollout) -> RolloutStatus {
    match rollout.phase {
        Phase::Back => RolloutStatus::RollingBack,
        _ if rollout.halted.is_some() => RolloutStatus::Halted,
        _ if rollout.paused.is_some() => RolloutStatus::Paused,
        Phase::Gates => gates::waits_for(state, rollout),
        Phase::Forward => RolloutStatus::Running,
    }
}

fn why(rollout: &Rollout) -> Option<String> {
    let halt: Option<&Halt> = rollout.halted.as_ref().or(rollout.paused.as_ref());
    halt.map(|halt| halt.reason.clone())
}

fn progress(state: &State, name: &ServerName, member: &Member) -> ServerProgress {
    let outstanding = state
        .servers
        .get(name)
        .and_then(|server| server.outstanding.as_ref());
    let step = match member.stage {
        Stage::Waiting => "waiting",
        Stage::At(way, step) => step.word(way),
        Stage::PutBack(_) => rollout::Step::Restore.word(Way::Forward),
        Stage::Failed => "failed",
        Stage::Done => "done",
        Stage::BackWaiting => "back-waiting",
        Stage::Returned => "returned",
        Stage::Kept => "kept",
        Stage::Excluded => "excluded",
    };
    ServerProgress {
        server: name.clone(),
        step: step.to_owned(),
        attempt: outstanding.map_or(0, |outstanding| outstanding.command.attempt),
        note: member.failure.clone(),
    }
}

fn jenkins(of: &rollout::catalogue::Jenkins) -> JenkinsView {
    JenkinsView {
        job: of.job.clone(),
        version_parameter: of.version_parameter.clone(),
        sha256_parameter: of.sha256_parameter.clone(),
        environment: of.environment.clone(),
        environment_parameter: of.environment_parameter.clone(),
    }
}

/// Those of the catalogue in its order, then others that are still of interest.
fn servers(state: &State) -> Vec<ServerView> {
    let rules = state.entry.iter().flat_map(|entry| &entry.servers);
    let listed = rules.map(|rule| &rule.name);
    let gone = state
        .servers
        .iter()
        .filter(|(_, server)| !server.in_catalogue && is_news(server));
    let names = listed.chain(gone.map(|(name, _)| name));
    names
        .filter_map(|name| Some(server(state, name, state.servers.get(name)?)))
        .collect()
}

/// Whether a server that the catalogue does not have any more is still of interest.
const fn is_news(server: &Server) -> bool {
    server.aside.is_some() || server.outstanding.is_some() || server.unproven
}

fn server(state: &State, name: &ServerName, server: &Server) -> ServerView {
    let pools = server.pools.iter().map(|(balancer, (pool, up))| PoolView {
        balancer: balancer.clone(),
        pool: pool.clone(),
        up: *up,
    });
    ServerView {
        name: name.clone(),
        machine: server.machine.clone(),
        address: server.address.clone(),
        pools: pools.collect(),
        proven: server.proven.clone(),
        unproven: server.unproven,
        out: out(state, name, server),
        outstanding: server.outstanding.as_ref().map(|outstanding| Outstanding {
            command: outstanding.command.id.clone(),
            kind: outstanding.command.work.kind().to_owned(),
            attempt: outstanding.command.attempt,
            deadline_at: outstanding.command.deadline_at,
            started: outstanding.started,
        }),
    }
}

fn out(state: &State, name: &ServerName, server: &Server) -> Option<ServerOut> {
    let held = state
        .member(name)
        .filter(|member| member.stage == Stage::Failed && server.unproven);
    let running = state.rollout.as_ref().map(|rollout| rollout.id());
    let (kind, rollout, why) = match (held, &server.aside) {
        (Some(member), _) => {
            let why = member.failure.clone().unwrap_or_default();
            (OutReason::Held, running?, why)
        }
        (None, Some(Aside::Stuck { rollout, reason })) => {
            (OutReason::Stuck, *rollout, reason.clone())
        }
        (None, Some(Aside::Left { rollout, reason })) => {
            (OutReason::Left, *rollout, reason.clone())
        }
        (None, None) => return None,
    };
    Some(ServerOut { kind, rollout, why })
}
