//! One target with people and workers who do what a script says.

mod answers;
mod entry;
mod fleet;
mod gates;
mod said;
mod watches;

use events::{
    Actor, ActorKind, Adopt, Answer, Build, CastVote, Claim, DefineService, FailedBecause, Pool,
    PoolMember, PoolSeen, ReleaseServer, Report, ReportId, RequestRollout, RequestedArtifact,
    RolloutId, ServerName, Steer, Strayed, Target, Timestamp, Trust, Via, Wish,
};
use poolshift_rollout::{Aside, Heard, Input, State, settle, waiting, wake_at};
use uuid::Uuid;

pub(crate) struct Stage {
    state: State,
    at: Timestamp,
    reports: u128,
    last: Option<Heard>,
    trust: Trust,
}

impl Stage {
    pub(crate) fn new() -> Self {
        let target: Target = "production/shop".parse().expect("a target");
        Self {
            state: State::new(target),
            at: Timestamp::from_ms(1_800_000_000_000),
            reports: 0,
            last: None,
            trust: Trust::Full,
        }
    }

    /// One command of a script; what became of it, line by line.
    pub(crate) fn play(&mut self, command: &str) -> Vec<String> {
        let words: Vec<&str> = command.split_whitespace().collect();
        match words.as_slice() {
            ["service", rest @ ..] => {
                let entry = entry::entry(rest);
                self.says("p_admin1", DefineService { entry })
            }
            ["adopt", who, version] => self.adopt(who, version),
            ["request", version] => self.request(version, None),
            ["request", version, "of", "low", "trust"] => {
                self.trust = Trust::Low;
                let lines = self.request(version, None);
                self.trust = Trust::Full;
                lines
            }
            ["request", version, "build", number] => {
                self.request(version, Some(number.parse().expect("a build number")))
            }
            ["vote", who] => self.vote(who, true),
            ["vote", who, "for", "another", "plan"] => self.vote(who, false),
            ["answer", who] => self.good(who, None),
            ["answer", who, balancer] => self.good(who, Some(balancer)),
            ["begin", who] => {
                let command = self.outstanding(who).id;
                self.hears(Answer::CommandStarted(events::CommandStarted { command }))
            }
            ["run"] => self.run(),
            ["fail", who, why] => self.bad(who, &FailedBecause::from(*why), None),
            ["fail", who, why, balancer] => {
                self.bad(who, &FailedBecause::from(*why), Some(balancer))
            }
            ["refuse", who, balancer] => {
                let answer = answers::refused(&self.outstanding(who), balancer);
                self.hears(answer)
            }
            ["watching", who] => {
                let answer = watches::watching(&self.outstanding(who));
                self.hears(answer)
            }
            ["steady", who, "after", "a", "reset"] => {
                let answer = watches::steady(&self.outstanding(who), 1);
                self.hears(answer)
            }
            ["stray", who, balancer] => self.stray(who, balancer, events::RolloutRef::Repair),
            ["stray", who, balancer, "by", rollout] => {
                let rollout = rollout.parse().expect("a rollout");
                self.stray(who, balancer, events::RolloutRef::Rollout(rollout))
            }
            ["down", who] => self.seen(who, false),
            ["up", who] => self.seen(who, true),
            ["pass", time] => self.pass(time),
            ["again"] => {
                let heard = self.last.clone().expect("somebody said something");
                self.take(&Input::Report(&heard))
            }
            ["owner", epoch] => self.take(&Input::Owner(epoch.parse().expect("an epoch"))),
            ["release", who] => self.release(who),
            [wish @ ("pause" | "resume" | "abort" | "retry")] => self.steer(&Wish::from(*wish)),
            ["show"] => self.show(),
            _ => self
                .play_fleet(&words)
                .unwrap_or_else(|| self.play_gates(&words)),
        }
    }

    fn take(&mut self, input: &Input<'_>) -> Vec<String> {
        let settled = settle(&self.state, input, self.at);
        let mut lines: Vec<String> = settled
            .events
            .iter()
            .filter_map(|(event, _)| said::event(event))
            .collect();
        lines.extend(settled.refused.map(|why| format!("refused: {why}")));
        if lines.is_empty() {
            lines.push("nothing changes".to_owned());
        }
        self.state = settled.state;
        let wakes = wake_at(&self.state);
        assert!(
            wakes.is_none_or(|wakes| wakes > self.at),
            "it wants to be asked again at {wakes:?}, and has just been"
        );
        lines
    }

    fn says(&mut self, actor: &str, report: impl Into<Report>) -> Vec<String> {
        self.reports += 1;
        let heard = Heard {
            id: ReportId::new(Uuid::from_u128(self.reports)),
            actor: Actor {
                kind: ActorKind::Person,
                id: actor.to_owned(),
            },
            report: report.into(),
        };
        let lines = self.take(&Input::Report(&heard));
        self.last = Some(heard);
        lines
    }

    fn hears(&mut self, answer: Answer) -> Vec<String> {
        self.says("worker", answer)
    }

    fn servers(&self, who: &str) -> Vec<ServerName> {
        if who == "all" {
            self.state.servers.keys().cloned().collect()
        } else {
            vec![name(who)]
        }
    }

    fn adopt(&mut self, who: &str, version: &str) -> Vec<String> {
        let release = entry::release(version);
        let mut lines = Vec::new();
        for server in self.servers(who) {
            let release = release.clone();
            lines.extend(self.says("p_admin1", Adopt { server, release }));
        }
        lines
    }

    fn request(&mut self, version: &str, build: Option<u64>) -> Vec<String> {
        let request = self.asked(version, build);
        self.says("ci", request)
    }

    fn asked(&self, version: &str, build: Option<u64>) -> RequestRollout {
        let release = entry::release(version);
        let key = build.map_or_else(|| version.to_owned(), |number| format!("build-{number}"));
        RequestRollout {
            rollout: RolloutId::of(&self.state.target, "jenkins", &key),
            key,
            sender: "jenkins".to_owned(),
            version: release.version,
            tests: None,
            artifact: RequestedArtifact {
                url: None,
                sha256: release.sha256,
            },
            requested_by: Actor {
                kind: ActorKind::Person,
                id: "p_asker".to_owned(),
            },
            proven: true,
            claims: vec![Claim {
                person: "p_author".parse().ok(),
                name_sha256: events::sha256(b"author"),
            }],
            build: build.map(|number| Build {
                controller: "ci".to_owned(),
                job: "shop".to_owned(),
                number,
                url: None,
            }),
            commit: None,
            change: None,
            trust: self.trust.clone(),
        }
    }

    fn vote(&mut self, who: &str, for_this: bool) -> Vec<String> {
        let rollout = self.state.rollout.as_deref();
        let (id, digest) = rollout.map_or_else(
            || {
                let id = RolloutId::of(&self.state.target, "jenkins", "gone");
                (id, events::sha256(b"gone"))
            },
            |rollout| (rollout.id(), rollout.digest),
        );
        let roles = if who == "guest" {
            Vec::new()
        } else {
            vec!["managers".to_owned()]
        };
        let vote = CastVote {
            rollout: id,
            gate: "approval".to_owned(),
            digest: if for_this {
                digest
            } else {
                events::sha256(b"another plan")
            },
            person: format!("p_{who}").parse().expect("a person"),
            roles,
            policy_sha256: events::sha256(b"policy"),
            via: Via {
                kind: "cli".to_owned(),
                reference: None,
            },
            reason: None,
            ticket: None,
        };
        self.says(&format!("p_{who}"), vote)
    }

    fn steer(&mut self, wish: &Wish) -> Vec<String> {
        let rollout = self.state.rollout.as_deref().map_or_else(
            || RolloutId::of(&self.state.target, "jenkins", "gone"),
            poolshift_rollout::Rollout::id,
        );
        let steer = Steer {
            rollout,
            wish: wish.clone(),
            reason: "by hand".to_owned(),
        };
        self.says("p_oncall", steer)
    }

    /// A person lets go of a server, since the rollout that set it aside.
    fn release(&mut self, who: &str) -> Vec<String> {
        let server = name(who);
        let aside = self
            .state
            .servers
            .get(&server)
            .and_then(|s| s.aside.as_ref());
        let since = match aside {
            Some(Aside::Stuck { rollout, .. } | Aside::Left { rollout, .. }) => *rollout,
            None => RolloutId::of(&self.state.target, "jenkins", "gone"),
        };
        let reason = "I looked at it".to_owned();
        self.says(
            "p_oncall",
            ReleaseServer {
                server,
                reason,
                since,
            },
        )
    }

    fn outstanding(&self, who: &str) -> events::Command {
        let server = self.state.servers.get(&name(who)).expect("a server");
        let outstanding = server.outstanding.as_ref();
        let command = &outstanding
            .unwrap_or_else(|| panic!("{who} has nothing outstanding"))
            .command;
        command.as_ref().clone()
    }

    fn good(&mut self, who: &str, balancer: Option<&str>) -> Vec<String> {
        let mut lines = Vec::new();
        for server in self.servers(who) {
            let outstanding = self.state.servers.get(&server);
            let Some(outstanding) = outstanding.and_then(|s| s.outstanding.clone()) else {
                continue;
            };
            let answered = outstanding.answered;
            for answer in answers::good(&outstanding.command, outstanding.started) {
                let by = said::balancer(&answer);
                let fits = by.is_none_or(|by| {
                    balancer.is_none_or(|asked| by.as_str() == asked) && !answered.contains(by)
                });
                if fits {
                    lines.extend(self.hears(answer));
                }
            }
        }
        lines
    }

    /// All workers do well until nobody has anything to do.
    fn run(&mut self) -> Vec<String> {
        let mut lines = Vec::new();
        for _ in 0..200 {
            let busy = self.state.servers.iter().find(|(_, server)| {
                let command = server.outstanding.as_ref().map(|o| &o.command.work);
                command.is_some_and(|work| !matches!(work, events::Work::Hold(_)))
            });
            let Some(server) = busy.map(|(name, _)| name.to_string()) else {
                break;
            };
            lines.extend(self.good(&server, None));
        }
        lines
    }

    fn bad(&mut self, who: &str, why: &FailedBecause, by: Option<&str>) -> Vec<String> {
        let command = self.outstanding(who);
        self.hears(answers::bad(&command, why, by.unwrap_or("lb1")))
    }

    fn stray(&mut self, who: &str, balancer: &str, rollout: events::RolloutRef) -> Vec<String> {
        let server = self.state.servers.get(&name(who)).expect("a server");
        let mark = events::CommandId {
            rollout,
            server: name(who),
            step: "drain".to_owned(),
            attempt: server.repairs + 1,
        };
        self.hears(Answer::Strayed(Strayed {
            server: name(who),
            balancer: balancer.parse().expect("a balancer"),
            mark,
            row: String::new(),
        }))
    }

    fn seen(&mut self, who: &str, up: bool) -> Vec<String> {
        let mut lines = Vec::new();
        for balancer in ["lb1", "lb2"] {
            lines.extend(self.hears(Answer::PoolSeen(PoolSeen {
                balancer: balancer.parse().expect("a balancer"),
                servers: vec![PoolMember {
                    server: name(who),
                    pool: Pool::Online,
                    up,
                }],
            })));
        }
        lines
    }

    fn pass(&mut self, time: &str) -> Vec<String> {
        self.at = self.at.plus_ms(gates::ms(time));
        self.take(&Input::Clock)
    }

    fn show(&self) -> Vec<String> {
        let mut lines: Vec<String> = self
            .state
            .servers
            .iter()
            .map(|(name, server)| said::server(&self.state, name, server))
            .collect();
        let waits = waiting(&self.state, self.at);
        lines.extend(waits.into_iter().map(|wait| {
            let until = wait.until.map_or_else(String::new, |until| {
                format!(" (ends in {} s)", until.ms_since(self.at) / 1_000)
            });
            let who = if wait.person { "person" } else { "worker" };
            format!("waits for a {who}: {}{until}", wait.what)
        }));
        lines
    }
}

fn name(text: &str) -> ServerName {
    text.parse().expect("a server's name")
}
