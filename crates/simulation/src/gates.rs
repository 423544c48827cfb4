//! What people say of gates, freezes and rollouts that wait; and what another target tells.

use events::{
    Actor, ActorKind, LiftFreeze, OverrideGate, Release, Report, ReportId, ReportPromotion,
    RolloutId, SetFreeze, Steer, SupersedeHalted, Timestamp, Via, Wish,
};
use rollout::{Heard, Rollout, State};

use crate::owner::Own;
use crate::scenario::{parsed, person, release};
use crate::world::World;

impl World {
    /// One word of those.
    pub(crate) fn gate_word(&mut self) {
        // It is rare that a rollout is halted while another waits: then that is what people say.
        let parked = self.seen().is_some_and(|state| {
            let halted = state
                .rollout
                .as_ref()
                .is_some_and(|rollout| rollout.halted.is_some());
            halted && !state.queue.is_empty()
        });
        if parked && self.dice.percent(70) {
            self.take_over_halted();
            return;
        }
        match self.dice.index(8) {
            0 => self.freeze(),
            1 => self.unfreeze(),
            2 => self.override_gate(),
            3 => self.succeed_elsewhere(),
            4 => self.withdraw(),
            _ => self.take_over_halted(),
        }
    }

    /// What people see: the newest state that any orchestrator has.
    fn seen(&self) -> Option<&State> {
        let owns = self.owners.iter().filter_map(|owner| owner.own.as_ref());
        let newest: Option<&Own> = owns.max_by_key(|own| own.epoch);
        Some(&newest?.state)
    }

    fn freeze(&mut self) {
        let now = self.wall();
        let later = self.dice.percent(40);
        let from = later.then(|| now.plus_ms(self.dice.between(1_000, 60_000)));
        let lasts_ms = self.dice.between(2_000, 600_000);
        let word = SetFreeze {
            from,
            until: from.unwrap_or(now).plus_ms(lasts_ms),
            reason: "the sale".to_owned(),
        };
        self.say("p_oncall", word);
    }

    fn unfreeze(&mut self) {
        let Some(state) = self.seen() else { return };
        let freezes = state.freezes.keys().copied().collect();
        let reason = "it is over".to_owned();
        self.say("p_oncall", LiftFreeze { freezes, reason });
    }

    fn override_gate(&mut self) {
        let Some(rollout) = self.seen().and_then(|state| state.rollout.as_deref()) else {
            return;
        };
        let (rollout, digest) = (rollout.id(), rollout.digest);
        let gates = ["window", "freeze", "promotion"];
        let gate = self.dice.pick(&gates).copied().unwrap_or("window");
        let may = self.dice.percent(60);
        let Some(person) = person(if may { "mgr1" } else { "guest" }) else {
            return;
        };
        let roles = if may {
            vec!["managers".to_owned()]
        } else {
            Vec::new()
        };
        let word = OverrideGate {
            rollout,
            gate: gate.to_owned(),
            digest,
            person,
            roles,
            policy_sha256: events::sha256(b"policy"),
            via: Via {
                kind: "cli".to_owned(),
                reference: None,
            },
            reason: "nobody can pay".to_owned(),
            ticket: None,
        };
        self.say("p_oncall", word);
    }

    /// Some version succeeded in staging, some days ago.
    fn succeed_elsewhere(&mut self) {
        let number = 1 + self.dice.index(3);
        if let Some(release) = release(&format!("1.{number}.0")) {
            self.promote(release);
        }
    }

    pub(crate) fn promote(&mut self, release: Release) {
        let Some(from) = parsed::<events::Target>("staging/shop") else {
            return;
        };
        let hours = i64::try_from(self.dice.index(400)).unwrap_or(0);
        let succeeded_at = Timestamp::from_ms(self.wall().as_ms() - hours * 3_600_000);
        let rollout = RolloutId::of(&from, "jenkins", release.version.as_str());
        let word = ReportPromotion {
            from,
            rollout,
            n: 40,
            release,
            succeeded_at,
        };
        let id = ReportId::new(self.dice.uuid());
        let actor = Actor {
            kind: ActorKind::Process,
            id: "orchestrator/1".to_owned(),
        };
        let report = Report::from(word);
        self.outbox.push(Heard { id, actor, report });
    }

    fn waits(&mut self) -> Option<RolloutId> {
        let queue = &self.seen()?.queue;
        let ids: Vec<RolloutId> = queue.iter().map(|request| request.asked.rollout).collect();
        self.dice.pick(&ids).copied()
    }

    fn withdraw(&mut self) {
        let Some(rollout) = self.waits() else { return };
        let word = Steer {
            rollout,
            wish: Wish::Abort,
            reason: "not wanted any more".to_owned(),
        };
        self.say("p_oncall", word);
    }

    /// A rollout that waits is told to take over, whether the one that runs is halted or not.
    fn take_over_halted(&mut self) {
        let rollout = self.seen().and_then(|state| state.rollout.as_deref());
        let Some(rollout) = rollout.map(Rollout::id) else {
            return;
        };
        let Some(successor) = self.waits() else {
            return;
        };
        let word = SupersedeHalted {
            rollout,
            successor,
            reason: "it mends them".to_owned(),
        };
        self.say("p_oncall", word);
    }
}
