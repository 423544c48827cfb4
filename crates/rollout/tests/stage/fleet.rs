//! Commands of scripts about packages of tests, and about servers that leave or join.

use events::{
    Answer, CommandQueued, DefineService, ExcludeServer, Fetched, RequestedTests, RolloutId, Target,
};

use super::{Stage, entry, name};

impl Stage {
    /// The same for commands of this kind; none when it is none of them.
    pub(super) fn play_fleet(&mut self, words: &[&str]) -> Option<Vec<String>> {
        Some(match words {
            ["request", version, "tests", package] => self.request_tested(version, package),
            ["exclude", who] => self.exclude(who),
            ["fetched", who, word @ ("well" | "unwell")] => {
                let command = self.outstanding(who);
                let sha256 = command.plan_digest.expect("a plan");
                self.hears(Answer::Fetched(Fetched {
                    command: command.id,
                    sha256,
                    bytes: 1_000,
                    took_ms: 10,
                    is_well: Some(*word == "well"),
                }))
            }
            ["busy", who, "with", other, "for", seconds] => {
                self.busy(who, other, seconds.parse().expect("seconds"))
            }
            ["move", who, "to", machine, rest @ ..] => {
                let here = format!("name = \"{who}\", machine = \"srv-{}\"", &who[3..]);
                let there = format!("name = \"{who}\", machine = \"{machine}\"");
                let entry = entry::entry(rest).replace(&here, &there);
                self.says("p_admin1", DefineService { entry })
            }
            _ => return None,
        })
    }

    fn request_tested(&mut self, version: &str, package: &str) -> Vec<String> {
        let mut request = self.asked(version, None);
        request.tests = Some(Box::new(RequestedTests {
            url: format!("https://artifacts.example/shop/{package}.tar.gz"),
            sha256: events::sha256(package.as_bytes()),
        }));
        self.says("ci", request)
    }

    /// The machine does something of another service first.
    fn busy(&mut self, who: &str, other: &str, seconds: u64) -> Vec<String> {
        let behind_target: Target = format!("production/{other}").parse().expect("a target");
        let rollout = RolloutId::of(&behind_target, "jenkins", "1");
        self.hears(Answer::CommandQueued(CommandQueued {
            command: self.outstanding(who).id,
            behind: format!("{rollout}/db1/install/1").parse().expect("an id"),
            behind_target,
            at_most_ms: seconds * 1_000,
        }))
    }

    fn exclude(&mut self, who: &str) -> Vec<String> {
        let rollout = self.state.rollout.as_deref().map_or_else(
            || RolloutId::of(&self.state.target, "jenkins", "gone"),
            poolshift_rollout::Rollout::id,
        );
        let exclude = ExcludeServer {
            rollout,
            server: name(who),
            reason: "its disk is broken".to_owned(),
        };
        self.says("p_oncall", exclude)
    }
}
