//! From a server's stage to the command that its worker needs. One outstanding command for each
//! server; the intent is in the log before any worker can see it.

mod check;
mod fill;
mod own;
mod watch;

use events::{
    Artifact, Check, Command, CommandId, CommandIssued, Digest, Drain, Event, Fetch, Hold, Install,
    Purpose, Release, Restore, RolloutRef, ServerName, Test, Timestamp, Work, Worker,
};

pub use self::check::direct_check;
pub(crate) use self::own::hold_again_at;
pub use self::watch::response_time;
use crate::catalogue::{Entry, InstallRule, ServerRule};
use crate::rules::Rule;
use crate::state::{Aside, Member, Outstanding, Phase, Rollout, Server, Stage, State};
use crate::step::{Step, Way};

/// The request header that pins a request to one server in the maintenance pool.
const PIN_HEADER: &str = "x-poolshift-server";

/// The response header in which the balancer names who answered.
const ANSWERED_BY_HEADER: &str = "x-poolshift-answered-by";

/// Commands that should be outstanding and are not.
pub(crate) fn commands(state: &State, at: Timestamp) -> Vec<Event> {
    if state.epoch_seen.is_some() {
        return Vec::new();
    }
    let servers = state.servers.iter();
    servers
        .filter_map(|(name, server)| wanted(state, name, server, at))
        .map(|wanted| {
            CommandIssued {
                command: Box::new(wanted.command(state, at)),
            }
            .into()
        })
        .collect()
}

/// A command that should be outstanding.
struct Wanted<'a> {
    name: &'a ServerName,
    server: &'a Server,
    word: &'static str,
    rollout: RolloutRef,
    plan_digest: Option<Digest>,
    /// Until an agent must have begun; 0 for workers that do not say so.
    start_within_ms: u64,
    timeout_ms: u64,
    work: Work,
}

fn wanted<'a>(
    state: &'a State,
    name: &'a ServerName,
    server: &'a Server,
    at: Timestamp,
) -> Option<Wanted<'a>> {
    let rollout = state.rollout.as_deref();
    let is_hold = |outstanding: &Outstanding| matches!(outstanding.command.work, Work::Hold(_));
    if !server.outstanding.as_ref().is_none_or(is_hold) {
        return None;
    }
    let in_rollout = rollout.and_then(|rollout| {
        let member = rollout.members.get(name)?;
        member_wants(state, rollout, name, server, member)
    });
    let stays = |outstanding: &Outstanding| {
        let again = hold_again_at(outstanding);
        again.is_none_or(|again| again > at)
    };
    match in_rollout {
        Some(wanted) => Some(wanted),
        None if server.outstanding.as_ref().is_some_and(stays) => None,
        None => hold(state, name, server).or_else(|| repair(name, server)),
    }
}

fn member_wants<'a>(
    state: &'a State,
    rollout: &'a Rollout,
    name: &'a ServerName,
    server: &'a Server,
    member: &Member,
) -> Option<Wanted<'a>> {
    let entry = &rollout.entry;
    let planned = rollout.planned(name)?;
    let rule = ServerRule {
        name: planned.server.clone(),
        machine: planned.machine.clone(),
        address: planned.address.clone(),
    };
    let make = Make {
        state,
        rollout,
        entry,
        rule: &rule,
        server,
        member,
    };
    let (word, step, work) = match member.stage {
        Stage::At(Way::Forward, Step::Restore) if rollout.halted.is_some() => return None,
        Stage::At(way, step) => (step.word(way), step, make.work(way, step)?),
        Stage::PutBack(_) => {
            let way = if rollout.phase == Phase::Back {
                Way::Back
            } else {
                Way::Forward
            };
            (Step::Restore.word(way), Step::Restore, make.put_back())
        }
        Stage::Waiting
        | Stage::Failed
        | Stage::Done
        | Stage::BackWaiting
        | Stage::Returned
        | Stage::Kept
        | Stage::Excluded => return None,
    };
    let timeouts = &rollout.plan.timeouts_ms;
    let by_agent = work.worker() == Worker::Agent || own::of(server, &work).is_some();
    Some(Wanted {
        name,
        server,
        word,
        rollout: RolloutRef::Rollout(rollout.id()),
        plan_digest: Some(rollout.digest),
        start_within_ms: if by_agent { timeouts.start_within } else { 0 },
        timeout_ms: match step {
            Step::Fetch => timeouts.fetch,
            Step::Drain => timeouts.drain,
            Step::Install => timeouts.install,
            Step::Check1 | Step::Check2 => timeouts.check,
            Step::Test => timeouts.test,
            Step::Restore => timeouts.restore,
            Step::Watch => timeouts.watch,
        },
        work,
    })
}

/// An unproven server with nothing else outstanding is kept out.
fn hold<'a>(state: &'a State, name: &'a ServerName, server: &'a Server) -> Option<Wanted<'a>> {
    let member = state.member(name);
    let is_ours = matches!(server.aside, Some(Aside::Stuck { .. }))
        || member.is_some_and(|member| member.out);
    let left = member.is_some_and(|member| member.out && member.stage == Stage::Failed);
    let unproven =
        (server.unproven && is_ours) || (left && !state.rules.hold(Rule::HoldOnlyUnproven));
    if !unproven {
        return None;
    }
    let (rollout, reason) = match (&state.rollout, member, &server.aside) {
        (Some(rollout), Some(member), _) => (
            rollout.id(),
            member
                .failure
                .clone()
                .unwrap_or_else(|| "not proven yet".to_owned()),
        ),
        (_, _, Some(Aside::Stuck { rollout, reason } | Aside::Left { rollout, reason })) => {
            (*rollout, reason.clone())
        }
        (_, _, None) => return None,
    };
    Some(Wanted {
        name,
        server,
        word: "hold",
        rollout: RolloutRef::Rollout(rollout),
        plan_digest: None,
        start_within_ms: own::hold_within_ms(server),
        timeout_ms: own::hold_timeout_ms(state, server),
        work: Work::Hold(Hold { reason }),
    })
}

/// How long the repair of a strayed server may take.
const REPAIR_TIMEOUT_MS: u64 = 60_000;

fn repair<'a>(name: &'a ServerName, server: &'a Server) -> Option<Wanted<'a>> {
    if !server.strayed || server.unproven {
        return None;
    }
    Some(Wanted {
        name,
        server,
        word: "restore",
        rollout: RolloutRef::Repair,
        plan_digest: None,
        start_within_ms: 0,
        timeout_ms: REPAIR_TIMEOUT_MS,
        work: Work::Restore(Restore {
            expect: server.proven.clone(),
            must_be_up: false,
        }),
    })
}

impl Wanted<'_> {
    fn command(self, state: &State, at: Timestamp) -> Command {
        let attempt = match self.rollout {
            RolloutRef::Repair => self.server.repairs + 1,
            RolloutRef::Rollout(_) => {
                self.server
                    .attempts
                    .get(self.word)
                    .copied()
                    .unwrap_or_default()
                    + 1
            }
        };
        let endless = matches!(self.work, Work::Hold(_));
        let deadline_at = at.plus_ms(self.start_within_ms).plus_ms(self.timeout_ms);
        Command {
            id: CommandId {
                rollout: self.rollout,
                server: self.name.clone(),
                step: self.word.to_owned(),
                attempt,
            },
            target: state.target.clone(),
            server: self.name.clone(),
            machine: self.server.machine.clone(),
            rollout: self.rollout,
            epoch: state.epoch,
            seq: self.server.seq + 1,
            attempt,
            issued_at: at,
            start_within_ms: self.start_within_ms,
            timeout_ms: self.timeout_ms,
            deadline_at: if endless { Timestamp::FAR } else { deadline_at },
            plan_digest: self.plan_digest,
            traceparent: None,
            balancers: self.server.balancers.clone(),
            online: self.server.online.clone(),
            maintenance: self.server.maintenance.clone(),
            line: self.name.to_string(),
            own: own::of(self.server, &self.work),
            work: self.work,
        }
    }
}

/// What a member's work is made from.
struct Make<'a> {
    state: &'a State,
    rollout: &'a Rollout,
    entry: &'a Entry,
    rule: &'a ServerRule,
    server: &'a Server,
    member: &'a Member,
}

impl Make<'_> {
    fn work(&self, way: Way, step: Step) -> Option<Work> {
        let release = self.release(way)?;
        Some(match step {
            Step::Fetch => Work::Fetch(Fetch {
                artifact: self.artifact(way, &release),
                tests: self.tests(way),
                version: release.version,
                prove: self
                    .server
                    .own
                    .as_ref()
                    .map(|_| self.install_rule().prove.of(self.rule)),
                into: self.install_rule().into,
                credentials_name: None,
            }),
            Step::Drain => Work::Drain(self.drain()),
            Step::Install => Work::Install(self.install(way, release)),
            Step::Check1 | Step::Check2 => Work::Check(self.check(&release)),
            Step::Test => Work::Test(self.test(way, &release)),
            Step::Restore => Work::Restore(Restore {
                expect: self.server.installed.clone(),
                must_be_up: self.member.was_up,
            }),
            Step::Watch => {
                let rule = self.entry.rollout.watch.as_ref()?;
                let member = (self.member, self.rule);
                Work::Watch(watch::work(self.state, self.rollout, rule, member))
            }
        })
    }

    /// What the server should run at the end of that way.
    fn release(&self, way: Way) -> Option<Release> {
        match way {
            Way::Forward => Some(Release {
                version: self.rollout.plan.version.clone(),
                sha256: self.rollout.plan.artifact.sha256,
            }),
            Way::Back => self.member.previous.clone(),
        }
    }

    fn artifact(&self, way: Way, release: &Release) -> Artifact {
        match way {
            Way::Forward => self.rollout.plan.artifact.clone(),
            Way::Back => Artifact {
                url: self.entry.artifact.url_of(&release.version),
                sha256: release.sha256,
                max_bytes: self.entry.artifact.max_bytes,
            },
        }
    }

    fn drain(&self) -> Drain {
        Drain {
            pinned_ms: self.entry.rollout.pinned_ms,
            then: self.entry.rollout.drain_then.clone(),
            floor: self.rollout.plan.floor,
            members: self
                .entry
                .servers
                .iter()
                .map(|server| &server.name)
                .chain(self.rollout.joined.iter().map(|joined| &joined.server))
                .map(ToString::to_string)
                .collect(),
        }
    }

    fn install(&self, way: Way, release: Release) -> Install {
        let rule = self.install_rule();
        Install {
            prove: rule.prove.of(self.rule),
            method: rule.method,
            artifact: self.artifact(way, &release),
            version: release.version,
            into: rule.into,
            argv: rule.argv,
            stop: rule.stop,
            restart: rule.restart,
            keep: rule.keep,
            purpose: match way {
                Way::Forward => Purpose::Forward,
                Way::Back => Purpose::Back,
            },
        }
    }

    /// How a version gets onto this very server.
    fn install_rule(&self) -> InstallRule {
        self.entry.install.on(&self.rule.name)
    }

    fn check(&self, release: &Release) -> Check {
        let direct = own::direct(self.server, &self.rule.address);
        check::of(&self.entry.check, self.rule, release, direct)
    }

    fn tests(&self, way: Way) -> Option<Artifact> {
        let plan = &self.rollout.plan;
        plan.tests_of(&self.rule.name, way == Way::Back).cloned()
    }

    fn test(&self, way: Way, release: &Release) -> Test {
        Test {
            suites: self.entry.tests.clone(),
            into: self.install_rule().into,
            tests: self.tests(way),
            url: self
                .server
                .balancers
                .first()
                .map(|b| b.testers.clone())
                .or_else(|| own::direct(self.server, &self.rule.address))
                .unwrap_or_default(),
            header: PIN_HEADER.to_owned(),
            answered_by: match &self.server.own {
                None => ANSWERED_BY_HEADER.to_owned(),
                Some(_) => String::new(),
            },
            expect: check::expect(self.rule, release),
        }
    }

    /// Put back as it is: nothing was changed, or it stays on what was proven.
    fn put_back(&self) -> Work {
        Work::Restore(Restore {
            expect: self.server.proven.clone(),
            must_be_up: self.member.was_up,
        })
    }
}
