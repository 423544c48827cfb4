//! The health-checker: a model that probes through the maintenance pools.

use std::collections::BTreeMap;

use events::{
    Answer, AnsweredBy, Command, CommandId, FailedBecause, Failure, Fence, Healthy, ServerName,
    Unhealthy, Work,
};
use lb_controller::Admin;

use crate::fleet::Host;
use crate::world::World;

/// What it has answered.
#[derive(Debug, Clone, Default)]
pub(crate) struct Checker {
    answered: BTreeMap<CommandId, (Fence, Answer)>,
}

impl World {
    /// It restarts: it remembers nothing.
    pub(crate) fn restart_checker(&mut self) {
        self.checker = Checker::default();
    }

    /// Probes one server that asks for it.
    pub(crate) fn check(&mut self, server: &ServerName) {
        let command = self
            .log
            .latest(server)
            .and_then(|record| record.command())
            .cloned();
        let Some(command) = command.filter(|command| matches!(command.work, Work::Check(_))) else {
            return;
        };
        if let Some((fence, answer)) = self.checker.answered.get(&command.id).cloned() {
            if fence != command.fence() {
                self.checker
                    .answered
                    .insert(command.id.clone(), (command.fence(), answer.clone()));
                self.answer(answer);
            }
            return;
        }
        let overdue = self.wall() >= command.deadline_at;
        let reachable = self.haproxies.iter().all(|haproxy| {
            haproxy
                .lines
                .get(server)
                .is_some_and(|line| line.maintenance == Admin::Ready)
        });
        let good = reachable
            && self
                .hosts
                .get(server)
                .is_some_and(|host| healthy(host, &command));
        let verdict = match (good, overdue) {
            (true, _) => self.found_healthy(&command),
            (false, true) => Answer::Unhealthy(Unhealthy {
                command: command.id.clone(),
                failure: Failure::new(FailedBecause::TimedOut, "not healthy in time"),
                probes: Vec::new(),
            }),
            (false, false) => return,
        };
        self.checker
            .answered
            .insert(command.id.clone(), (command.fence(), verdict.clone()));
        self.answer(verdict);
    }

    fn found_healthy(&mut self, command: &Command) -> Answer {
        if let Some(host) = self.hosts.get_mut(&command.server) {
            host.tainted &= !host.tested;
        }
        Answer::Healthy(Healthy {
            command: command.id.clone(),
            probes: Vec::new(),
            answered_by: AnsweredBy::default(),
            balancers: self.scenario.balancers.clone(),
        })
    }
}

/// Whether it would answer a probe in the expected version.
fn healthy(host: &Host, command: &Command) -> bool {
    let Work::Check(check) = &command.work else {
        return false;
    };
    host.is_up()
        && check
            .expect
            .version
            .as_ref()
            .is_none_or(|version| *version == host.runs.version)
}
