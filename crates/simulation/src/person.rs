//! People and build servers: they ask, vote, steer, and sometimes touch HAProxy by hand.

use events::{
    Actor, ActorKind, Adopt, Build, CastVote, Claim, DefineService, Digest, ExcludeServer, Release,
    ReleaseServer, RequestRollout, RequestedArtifact, RolloutId, ServerName, Steer, Trust, Via,
    Wish,
};
use lb_controller::Admin;
use rollout::{Aside, Phase, Rollout};

use crate::fleet::Host;
use crate::scenario::{person, release};
use crate::world::World;

impl World {
    /// The catalogue entry, and what runs now.
    pub(crate) fn introduce(&mut self) {
        let entry = self.scenario.entry.clone();
        self.say("p_admin1", DefineService { entry });
        for server in self.scenario.servers.clone() {
            let release = self.scenario.old.clone();
            self.say("p_admin1", Adopt { server, release });
        }
    }

    /// The next rollout is asked for.
    pub(crate) fn ask(&mut self) {
        if self.asked >= self.scenario.requests {
            return;
        }
        self.asked += 1;
        let number = self.asked;
        let Some(release) = release(&format!("1.{number}.0")) else {
            return;
        };
        let key = format!("build-{number}");
        let request = RequestRollout {
            rollout: RolloutId::of(&self.scenario.target, "jenkins", &key),
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
                person: person("author"),
                name_sha256: events::sha256(b"author"),
            }],
            build: Some(Build {
                controller: "ci".to_owned(),
                job: "shop".to_owned(),
                number,
                url: None,
            }),
            commit: None,
            change: None,
            trust: Trust::Full,
        };
        let release = Release {
            version: request.version.clone(),
            sha256: request.artifact.sha256,
        };
        self.say("ci", request);
        if self.scenario.requires && self.dice.percent(60) {
            self.promote(release);
        }
    }

    /// What people see: the newest state that any orchestrator has.
    fn running(&self) -> Option<&Rollout> {
        let owns = self.owners.iter().filter_map(|owner| owner.own.as_ref());
        owns.max_by_key(|own| own.epoch)?.state.rollout.as_deref()
    }

    /// Somebody votes: mostly one who may, for the plan there is.
    pub(crate) fn vote(&mut self, rightly: bool) {
        let Some(rollout) = self
            .running()
            .filter(|rollout| rollout.phase == Phase::Gates)
        else {
            return;
        };
        let (id, digest) = (rollout.id(), rollout.digest);
        let other_plan = !rightly && self.dice.percent(40);
        let who = if rightly {
            *self.dice.pick(&["mgr1", "mgr2"]).unwrap_or(&"mgr1")
        } else {
            *self
                .dice
                .pick(&["asker", "author", "mgr1", "guest"])
                .unwrap_or(&"guest")
        };
        // Ids have at least four letters or digits after `p_`.
        let name = if who.len() < 4 {
            format!("{who}0000")
        } else {
            who.to_owned()
        };
        let Some(person) = person(&name) else { return };
        let roles = if who == "guest" {
            Vec::new()
        } else {
            vec!["managers".to_owned()]
        };
        let digest: Digest = if other_plan {
            events::sha256(b"other")
        } else {
            digest
        };
        let vote = CastVote {
            rollout: id,
            gate: "approval".to_owned(),
            digest,
            person,
            roles,
            policy_sha256: events::sha256(b"policy"),
            via: Via {
                kind: "cli".to_owned(),
                reference: None,
            },
            reason: None,
            ticket: None,
        };
        self.say(&format!("p_{name}"), vote);
    }

    /// Somebody steers the running rollout, or lets go of a server.
    pub(crate) fn steer(&mut self) {
        let Some(rollout) = self.running() else {
            self.let_go();
            return;
        };
        let id = rollout.id();
        let names: Vec<ServerName> = rollout.members.keys().cloned().collect();
        if self.dice.percent(20) {
            self.change_fleet(id, &names);
            return;
        }
        let Some(rollout) = self.running() else {
            return;
        };
        let wishes = if rollout.halted.is_some() {
            [Wish::Retry, Wish::Retry, Wish::Abort]
        } else if rollout.paused.is_some() {
            [Wish::Resume, Wish::Resume, Wish::Abort]
        } else {
            [Wish::Pause, Wish::Pause, Wish::Pause]
        };
        let Some(wish) = self.dice.pick(&wishes).cloned() else {
            return;
        };
        self.say(
            "p_oncall",
            Steer {
                rollout: id,
                wish,
                reason: "by hand".to_owned(),
            },
        );
    }

    /// Somebody takes a server out of the rollout, or changes which servers the catalogue has.
    fn change_fleet(&mut self, rollout: RolloutId, names: &[ServerName]) {
        let Some(server) = self.dice.pick(names).cloned() else {
            return;
        };
        if self.dice.percent(50) {
            let reason = "its disk is broken".to_owned();
            let exclude = ExcludeServer {
                rollout,
                server,
                reason,
            };
            self.say("p_oncall", exclude);
            return;
        }
        let mut entry = self.scenario.entry.clone();
        if self.dice.percent(50) {
            let line = format!("name = \"{server}\"");
            entry = entry
                .lines()
                .filter(|text| !text.contains(&line))
                .map(|text| format!("{text}\n"))
                .collect();
        }
        self.say("p_admin1", DefineService { entry });
    }

    /// Somebody wants the running rollout stopped.
    pub(crate) fn abort(&mut self) {
        let Some(id) = self.running().map(Rollout::id) else {
            return;
        };
        let reason = "changed our mind".to_owned();
        self.say(
            "p_oncall",
            Steer {
                rollout: id,
                wish: Wish::Abort,
                reason,
            },
        );
    }

    fn let_go(&mut self) {
        let owns = self.owners.iter().filter_map(|owner| owner.own.as_ref());
        let Some(own) = owns.max_by_key(|own| own.epoch) else {
            return;
        };
        let aside = own
            .state
            .servers
            .iter()
            .find(|(_, server)| server.aside.is_some());
        let Some((server, Aside::Stuck { rollout, .. } | Aside::Left { rollout, .. })) =
            aside.and_then(|(name, server)| Some((name.clone(), server.aside.clone()?)))
        else {
            return;
        };
        if self.dice.percent(20) {
            self.monitor.released.insert(server.clone());
            self.say(
                "p_oncall",
                ReleaseServer {
                    server,
                    since: rollout,
                    reason: "mine now".to_owned(),
                },
            );
        }
    }

    /// A person drains or enables a server in one HAProxy by hand.
    pub(crate) fn touch(&mut self) {
        if self.dice.percent(50) {
            self.enable();
            return;
        }
        let index = self.dice.index(self.haproxies.len());
        let which = self.dice.index(self.scenario.servers.len());
        let (Some(haproxy), Some(server)) = (
            self.haproxies.get_mut(index),
            self.scenario.servers.get(which),
        ) else {
            return;
        };
        let up = haproxy.serving(&self.hosts).count();
        let Some(line) = haproxy.lines.get_mut(server) else {
            return;
        };
        if line.online == Admin::Ready && up > self.scenario.floor + 1 {
            line.online = Admin::Drain;
            line.hand_drained = true;
            line.touched = true;
        }
    }

    /// A person enables a server that is out of one HAProxy.
    pub(crate) fn enable(&mut self) {
        let index = self.dice.index(self.haproxies.len());
        let Some(haproxy) = self.haproxies.get_mut(index) else {
            return;
        };
        let mut lines: Vec<_> = haproxy.lines.values_mut().collect();
        lines.retain(|line| line.online != Admin::Ready);
        let which = self.dice.index(lines.len());
        if let Some(line) = lines.get_mut(which) {
            line.by_hand = true;
            line.online = Admin::Ready;
            line.hand_drained = false;
        }
    }

    /// A server dies by itself, or comes back.
    pub(crate) fn die_or_rise(&mut self) {
        let which = self.dice.index(self.scenario.servers.len());
        let server = self.scenario.servers.get(which);
        if let Some(host) = server.and_then(|server| self.hosts.get_mut(server)) {
            host.dead = !host.dead;
        }
        self.note(|| format!("  server {} dies or rises", which + 1));
    }

    /// A server dies by itself.
    pub(crate) fn die(&mut self) {
        let which = self.dice.index(self.scenario.servers.len());
        let server = self.scenario.servers.get(which);
        if let Some(host) = server.and_then(|server| self.hosts.get_mut(server)) {
            host.dead = true;
        }
        self.note(|| format!("  server {} dies", which + 1));
    }

    /// A customer's request goes to one server of each HAProxy.
    pub(crate) fn customers(&mut self) {
        for index in 0..self.haproxies.len() {
            let Some(haproxy) = self.haproxies.get(index) else {
                continue;
            };
            let serving: Vec<_> = haproxy.serving(&self.hosts).cloned().collect();
            let Some(server) = self.dice.pick(&serving).cloned() else {
                continue;
            };
            let stays = self.dice.percent(30);
            let tainted = self
                .hosts
                .get(&server)
                .is_some_and(|host: &Host| host.tainted);
            let Some(haproxy) = self.haproxies.get_mut(index) else {
                continue;
            };
            let Some(line) = haproxy.lines.get_mut(&server) else {
                continue;
            };
            line.requests += 1;
            line.running += u32::from(stays);
            if tainted && !line.by_hand {
                self.monitor.served_unproven(&server);
            }
        }
    }

    /// Requests end.
    pub(crate) fn requests_end(&mut self) {
        for haproxy in &mut self.haproxies {
            for line in haproxy.lines.values_mut() {
                line.running = 0;
            }
        }
    }
}
