//! S9: what keeps a rollout from beginning, by its own reading of the events.

use std::collections::{BTreeMap, BTreeSet};

use events::{
    CommandIssued, Decision, Plan, Promotion, Release, ReportId, Target, Timestamp, Window, Work,
};

/// What is known of gates, freezes and successes elsewhere.
#[derive(Debug, Default)]
pub(super) struct Gates {
    freezes: BTreeMap<ReportId, (Timestamp, Timestamp)>,
    told: Vec<(Target, Release, Timestamp)>,
    windows: Option<Vec<Window>>,
    wanted: Option<(Promotion, Release)>,
    overridden: BTreeSet<String>,
    begun: bool,
    back: bool,
}

impl Gates {
    /// Why a decision may not be, if it may not.
    pub(super) fn decided(&mut self, decision: &Decision, at: Timestamp) -> Option<String> {
        match decision {
            Decision::FreezeSet(e) => {
                self.freezes.insert(e.freeze, (e.from, e.until));
            }
            Decision::FreezeLifted(e) => {
                self.freezes.remove(&e.freeze);
            }
            Decision::PromotionSeen(e) => {
                let seen = (e.from.clone(), e.release.clone(), e.succeeded_at);
                self.told.push(seen);
            }
            Decision::RolloutPlanned(e) => self.planned(e.plan.value()),
            Decision::GateOverridden(e) => {
                self.overridden.insert(e.gate.clone());
            }
            Decision::RollbackStarted(_) => self.back = true,
            Decision::BatchStarted(e) if !self.back => {
                let what = self.closed(at)?;
                return Some(format!("batch {} was opened {what}", e.batch));
            }
            Decision::CommandIssued(e) => return self.issued(e, at),
            Decision::OwnershipTaken(_)
            | Decision::OwnerChanged(_)
            | Decision::ServiceDefined(_)
            | Decision::Adopted(_)
            | Decision::AgentEnrolled(_)
            | Decision::AgentRevoked(_)
            | Decision::RolloutRequested(_)
            | Decision::RolloutRejected(_)
            | Decision::Queued(_)
            | Decision::Superseded(_)
            | Decision::ApprovalGiven(_)
            | Decision::ApprovalRefused(_)
            | Decision::ApprovalExpired(_)
            | Decision::GatesPassed(_)
            | Decision::GateAwaited(_)
            | Decision::OverrideRefused(_)
            | Decision::BatchStarted(_)
            | Decision::StepTimedOut(_)
            | Decision::Paused(_)
            | Decision::Resumed(_)
            | Decision::AbortRequested(_)
            | Decision::RetryRequested(_)
            | Decision::TakeOverRequested(_)
            | Decision::Halted(_)
            | Decision::ServerExcluded(_)
            | Decision::ServerJoined(_)
            | Decision::ServerReleased(_)
            | Decision::RolloutFinished(_) => {}
        }
        None
    }

    fn planned(&mut self, plan: &Plan) {
        let release = Release {
            version: plan.version.clone(),
            sha256: plan.artifact.sha256,
        };
        let mut gates = plan.gates.iter();
        let windows = gates.find(|gate| gate.id == "window");
        let mut gates = plan.gates.iter();
        let wanted = gates.find_map(|gate| gate.promotion.clone());
        *self = Self {
            freezes: std::mem::take(&mut self.freezes),
            told: std::mem::take(&mut self.told),
            windows: windows.map(|gate| gate.windows.clone()),
            wanted: wanted.map(|wanted| (wanted, release)),
            ..Self::default()
        };
    }

    /// The first download begins a rollout.
    fn issued(&mut self, issued: &CommandIssued, at: Timestamp) -> Option<String> {
        let begins = matches!(issued.command.work, Work::Fetch(_)) && !self.begun && !self.back;
        if !begins {
            return None;
        }
        self.begun = true;
        if let Some(what) = self.closed(at) {
            return Some(format!("a rollout began {what}"));
        }
        let (wanted, release) = self.wanted.as_ref()?;
        let fits = |(from, told, when): &(Target, Release, Timestamp)| {
            *from == wanted.from && told == release && at.ms_since(*when) <= wanted.within_ms
        };
        let open = self.overridden.contains("promotion") || self.told.iter().any(fits);
        (!open).then(|| format!("{} began, and has not succeeded before", release.version))
    }

    fn closed(&self, at: Timestamp) -> Option<String> {
        let mut freezes = self.freezes.values();
        let frozen = freezes.any(|(from, until)| *from <= at && at < *until);
        if frozen && !self.overridden.contains("freeze") {
            return Some("in a freeze".to_owned());
        }
        let within = |window: &Window| window.opens_at <= at && at < window.closes_at;
        let outside = self
            .windows
            .as_ref()
            .is_some_and(|windows| !windows.iter().any(within));
        (outside && !self.overridden.contains("window"))
            .then(|| "outside of its windows".to_owned())
    }
}
