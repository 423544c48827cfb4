//! What people say of gates, freezes and rollouts that wait; and what other targets tell.

use events::{
    ActorKind, LiftFreeze, OverrideGate, ReportPromotion, RolloutId, SetFreeze, Steer,
    SupersedeHalted, Target, Via, Wish,
};
use poolshift_rollout::{Heard, Input};

use super::{Stage, entry};

impl Stage {
    pub(super) fn play_gates(&mut self, words: &[&str]) -> Vec<String> {
        match words {
            ["withdraw", version] => {
                let steer = Steer {
                    rollout: self.queued(version),
                    wish: Wish::Abort,
                    reason: "not wanted any more".to_owned(),
                };
                self.says("p_oncall", steer)
            }
            ["supersede", "with", version] => {
                let rollout = self.running();
                let successor = self.queued(version);
                let reason = "it mends them".to_owned();
                let asked = SupersedeHalted {
                    rollout,
                    successor,
                    reason,
                };
                self.says("p_oncall", asked)
            }
            ["override", who, gate] => self.override_gate(who, gate),
            ["freeze", "for", time] => self.freeze(None, time),
            ["freeze", "after", after, "for", time] => self.freeze(Some(after), time),
            ["unfreeze"] => {
                let freezes = self.state.freezes.keys().copied().collect();
                let reason = "it is over".to_owned();
                self.says("p_oncall", LiftFreeze { freezes, reason })
            }
            ["promoted", version, "from", from] => {
                self.promoted(version, from, ActorKind::Process, 0)
            }
            ["promoted", version, "from", from, ago, "ago"] => {
                self.promoted(version, from, ActorKind::Process, ms(ago))
            }
            ["promoted", version, "from", from, "by", "a", "person"] => {
                self.promoted(version, from, ActorKind::Person, 0)
            }
            _ => panic!("no such command: {}", words.join(" ")),
        }
    }

    fn running(&self) -> RolloutId {
        let rollout = self.state.rollout.as_deref();
        rollout.expect("a rollout that runs").id()
    }

    /// One that waits; any other word is one that does not.
    fn queued(&self, version: &str) -> RolloutId {
        let mut queue = self.state.queue.iter();
        let found = queue.find(|request| request.asked.version.as_str() == version);
        found.map_or_else(
            || RolloutId::of(&self.state.target, "jenkins", "gone"),
            |request| request.asked.rollout,
        )
    }

    fn override_gate(&mut self, who: &str, gate: &str) -> Vec<String> {
        let rollout = self.state.rollout.as_deref().expect("a rollout that runs");
        let roles = match who {
            "guest" => Vec::new(),
            _ => vec!["managers".to_owned()],
        };
        let asked = OverrideGate {
            rollout: rollout.id(),
            gate: gate.to_owned(),
            digest: rollout.digest,
            person: format!("p_{who}").parse().expect("a person"),
            roles,
            policy_sha256: events::sha256(b"policy"),
            via: Via {
                kind: "cli".to_owned(),
                reference: None,
            },
            reason: "nobody can pay".to_owned(),
            ticket: None,
        };
        self.says(&format!("p_{who}"), asked)
    }

    fn freeze(&mut self, after: Option<&&str>, time: &str) -> Vec<String> {
        let from = after.map(|after| self.at.plus_ms(ms(after)));
        let asked = SetFreeze {
            from,
            until: from.unwrap_or(self.at).plus_ms(ms(time)),
            reason: "the sale".to_owned(),
        };
        self.says("p_oncall", asked)
    }

    fn promoted(&mut self, version: &str, from: &str, by: ActorKind, ago_ms: u64) -> Vec<String> {
        let from: Target = from.parse().expect("a target");
        let ago_ms = i64::try_from(ago_ms).expect("a time");
        let told = ReportPromotion {
            rollout: RolloutId::of(&from, "jenkins", version),
            from,
            n: 40,
            release: entry::release(version),
            succeeded_at: events::Timestamp::from_ms(self.at.as_ms() - ago_ms),
        };
        let mut lines = self.says("orchestrator", told);
        if by == ActorKind::Process {
            // `says` speaks for a person, who is not believed.
            let heard = self.last.take().expect("it was said");
            let heard = Heard {
                actor: events::Actor {
                    kind: by,
                    ..heard.actor
                },
                ..heard
            };
            lines = self.take(&Input::Report(&heard));
            self.last = Some(heard);
        }
        lines
    }
}

pub(super) fn ms(time: &str) -> u64 {
    let (number, unit_ms) = match time.split_at(time.len() - 1) {
        (number, "s") => (number, 1_000),
        (number, "m") => (number, 60_000),
        (number, "h") => (number, 3_600_000),
        (number, "d") => (number, 24 * 3_600_000),
        _ => panic!("{time} is no time"),
    };
    let number: u64 = number.parse().expect("a number");
    number * unit_ms
}
