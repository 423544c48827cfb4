//! What goes wrong: crashes, outages, losses, hands.

use events::{Ask, MachineName, Report};

use crate::machine::Machine;
use crate::world::World;

impl World {
    pub(crate) fn fault(&mut self) {
        let (one, two) = (self.dice.index(2), self.dice.index(2));
        match self.dice.index(18) {
            0 => self.take_over(one, 0),
            1 => self.crash_owner(one),
            2 | 3 => self.start_keeper(two),
            4 => {
                let loads = self.scenario.loads_state;
                if let Some(haproxy) = self.haproxies.get_mut(two) {
                    haproxy.restart(loads);
                }
                self.customers();
            }
            5 => {
                if let Some(haproxy) = self.haproxies.get_mut(two) {
                    haproxy.reachable = !haproxy.reachable;
                }
            }
            6 | 7 => self.kill_or_raise_agent(),
            8 => self.restart_checker(),
            9 | 10 if self.scenario.hand_moves => self.touch(),
            11 => self.die_or_rise(),
            12 => self.save_late(two),
            13 => self.repeat_old_report(),
            14 => self.fail_commit(one),
            15 | 16 => self.outage(),
            _ => self.time_passes(),
        }
    }

    /// Something is gone for a while, and all others go on without it.
    fn outage(&mut self) {
        let what = self.dice.index(5);
        self.outage_of(what);
    }

    /// A held server is drained anew, for a fix: that its balancer cannot be reached just then is
    /// rare and telling.
    pub(crate) fn outage_at_risk(&mut self) {
        let is_risky = self.state().is_some_and(|state| {
            state.servers.values().any(|server| {
                let kind = server.outstanding.as_ref().map(|o| o.command.work.kind());
                server.unproven && kind == Some("drain")
            })
        });
        if is_risky && self.scenario.fault_percent > 0 && self.dice.percent(30) {
            self.outage_of(0);
        }
    }

    fn outage_of(&mut self, what: usize) {
        let two = self.dice.index(2);
        match what {
            0 | 1 => {
                if let Some(haproxy) = self.haproxies.get_mut(two) {
                    haproxy.reachable = false;
                }
            }
            2 | 3 => {
                let machines: Vec<MachineName> = self.machines.keys().cloned().collect();
                if let Some(machine) = self.dice.pick(&machines) {
                    self.kill_agent(machine);
                }
            }
            _ => {
                self.crash_owner(0);
                self.crash_owner(1);
            }
        }
        for _ in 0..self.dice.between(2, 8) {
            self.now_ms += self.dice.between(3_000, 26_000);
            let live = self.live_owner();
            self.round(live);
            self.requests_end();
            self.customers();
            self.steps += 1;
        }
        if let Some(haproxy) = self.haproxies.get_mut(two) {
            haproxy.reachable |= what > 1 || self.dice.percent(60);
        }
    }

    /// A commit does not come through, and the owner knows it: it decides the same anew.
    fn fail_commit(&mut self, index: usize) {
        self.decide(index);
        let owner = self.owners.get_mut(index);
        if let Some(own) = owner.and_then(|owner| owner.own.as_mut()) {
            own.pending = None;
        }
    }

    fn crash_owner(&mut self, index: usize) {
        if let Some(owner) = self.owners.get_mut(index) {
            owner.own = None;
        }
    }

    fn kill_or_raise_agent(&mut self) {
        let machines: Vec<MachineName> = self.machines.keys().cloned().collect();
        let Some(machine) = self.dice.pick(&machines).cloned() else {
            return;
        };
        let lost = self.scenario.lost_machine.as_ref() == Some(&machine);
        let alive = self.machines.get(&machine).is_some_and(Machine::is_alive);
        if alive {
            self.kill_agent(&machine);
            if let Some(machine) = self.machines.get_mut(&machine) {
                machine.lost = lost;
            }
        } else if let Some(machine) = self.machines.get_mut(&machine) {
            machine.raise(self.now_ms);
        }
    }

    /// A report that was delivered long ago is delivered again.
    fn repeat_old_report(&mut self) {
        let words = self.dice.percent(60);
        let reports = self.log.reports.iter();
        let chosen: Vec<usize> = reports
            .enumerate()
            .filter(|(_, heard)| !words || is_word(&heard.report))
            .map(|(index, _)| index)
            .collect();
        let index = self.dice.pick(&chosen).copied();
        let again = index.and_then(|index| self.log.reports.get(index).cloned());
        self.outbox.extend(again);
    }
}

/// What people say of a rollout that runs.
fn is_word(report: &Report) -> bool {
    matches!(
        report,
        Report::Ask(Ask::Steer(_) | Ask::ReleaseServer(_) | Ask::RequestRollout(_))
    )
}
