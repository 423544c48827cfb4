//! What is truly outside an agent: the programs that it starts. They take time, fail, hang, and
//! may outlive it.

use events::{Command, MachineName, Work};

use crate::answers::release_of;
use crate::fleet::Host;
use crate::scenario::{Flaw, Scenario};
use crate::world::World;

/// What a command runs on its machine: a download, an installer with a restart, or suites.
#[derive(Debug, Clone)]
pub(crate) struct Program {
    pub(crate) command: Box<Command>,
    /// In true time, in milliseconds; none when it hangs.
    pub(crate) ends_ms: Option<u64>,
    pub(crate) ended: Option<Ended>,
}

/// How a program ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ended {
    /// It did what it was started for.
    Well,
    /// It said that it failed.
    Badly,
    /// It hung, and was ended when its time was over.
    ByForce,
}

impl Program {
    /// Whether it goes on when its agent dies: a download is the agent's own.
    pub(crate) const fn may_outlive(&self) -> bool {
        self.ended.is_none() && !matches!(self.command.work, Work::Fetch(_))
    }
}

impl World {
    /// The line is in the journal; now the program begins, if the agent lives that long.
    pub(crate) fn start_program(
        &mut self,
        name: &MachineName,
        command: Box<Command>,
        end_by_ms: u64,
    ) {
        let faults = self.scenario.fault_percent > 0;
        if faults && self.dice.percent(1) {
            self.kill_agent(name);
            self.restart_agent(name);
            return;
        }
        self.monitor.began(&command, self.wall());
        if matches!(command.work, Work::Install(_))
            && let Some(host) = self.hosts.get_mut(&command.server)
        {
            host.tainted = true;
            host.tested = false;
            host.restarting = true;
        }
        let hangs = faults && self.dice.percent(1);
        let takes_ms = self.dice.between(50, 4_000);
        let now_ms = self.now_ms;
        let Some(machine) = self.machines.get_mut(name) else {
            return;
        };
        if let Some(life) = &mut machine.life {
            let end_by_ms = life.began_ms.saturating_add(end_by_ms);
            life.until_ms = Some(end_by_ms.min(now_ms.saturating_add(command.timeout_ms)));
            life.recovers = false;
        }
        machine.program = Some(Program {
            command,
            ends_ms: (!hangs).then_some(now_ms + takes_ms),
            ended: None,
        });
    }

    /// A program comes to its end, whoever still waits for it.
    pub(crate) fn end_program(&mut self, name: &MachineName) {
        let fails = self.scenario.fault_percent > 0 && self.dice.percent(4);
        let now_ms = self.now_ms;
        let Some(machine) = self.machines.get_mut(name) else {
            return;
        };
        let until_ms = machine.life.as_ref().and_then(|life| life.until_ms);
        let running = machine.program.as_mut();
        let Some(program) = running.filter(|program| program.ended.is_none()) else {
            return;
        };
        let by_itself = program.ends_ms.is_some_and(|ms| ms <= now_ms);
        let by_force = until_ms.is_some_and(|ms| ms <= now_ms);
        let host = self.hosts.get_mut(&program.command.server);
        let ended = match host {
            Some(host) if by_itself => happen(&program.command.work, host, &self.scenario, fails),
            Some(host) if by_force => {
                host.restarting = false;
                Ended::ByForce
            }
            Some(_) | None => return,
        };
        program.ended = Some(ended);
        if let (Work::Fetch(fetch), Ended::Well) = (&program.command.work, ended) {
            let server = program.command.server.clone();
            machine.artifacts.insert((server, fetch.artifact.sha256));
        }
    }
}

/// What a program that ends by itself has done to its server, and what it says of it.
fn happen(work: &Work, host: &mut Host, scenario: &Scenario, fails: bool) -> Ended {
    let good = match work {
        Work::Install(install) => {
            host.restarting = false;
            if !fails {
                host.runs = release_of(install);
                host.dead = false;
                host.sick = scenario.flaw(&host.runs) == Flaw::Check;
            }
            !fails
        }
        Work::Test(_) => {
            let found = scenario.flaw(&host.runs);
            host.is_up() && matches!(found, Flaw::None | Flaw::Watch | Flaw::Slow)
        }
        Work::Fetch(_)
        | Work::Drain(_)
        | Work::Check(_)
        | Work::Restore(_)
        | Work::Hold(_)
        | Work::Watch(_) => !fails,
    };
    if good { Ended::Well } else { Ended::Badly }
}
