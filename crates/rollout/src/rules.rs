//! The rules that look optional and are not. Each can be broken on purpose in a walk, so that it
//! is seen that an invariant notices; in production they always hold.

/// A rule of the brain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rule {
    /// A step on the pools is done when every balancer's controller has answered.
    AllBalancersAnswer,
    /// A server left out by a failed rollout stays in the state after it.
    StuckStays,
    /// Only an unproven server gets a `Hold`.
    HoldOnlyUnproven,
    /// "Nothing was changed, put it back" holds only while the server is not unproven.
    ProofBeforeReturn,
    /// An answer counts only for the very command that is outstanding.
    AnswerNamesCommand,
    /// A second refusal by the floor without progress fails the rollout.
    RefusalIsLimited,
    /// Halt and pause have a deadline.
    PersonWaitEnds,
    /// A person's word counts once.
    WordCountsOnce,
    /// A request with a known id is the same request.
    RequestCountsOnce,
    /// A rollout with a failed server halts, or goes back.
    FailureStops,
    /// A proven server that strayed out is put back.
    StrayIsRepaired,
    /// One rollout at a time on a target.
    OneRollout,
    /// One batch at a time.
    OneBatch,
    /// Back into the pool only after check and tests.
    TestBeforeRestore,
    /// A vote is bound to the plan's digest.
    VoteNamesPlan,
    /// The requester may not vote.
    RequesterMayNotVote,
    /// An interrupted or silent worker is not a verdict.
    SilenceIsNoVerdict,
    /// `Install` and `Test` are superseded only by their answer.
    RunningStepIsAwaited,
    /// A new owner restarts the clocks of what is outstanding.
    ClocksRestart,
    /// The orchestrator waits a margin longer than the worker.
    MarginIsWaited,
    /// No batch is opened outside of the plan's windows or in a freeze.
    CalendarHolds,
    /// A rollout begins only when its release has succeeded where it must have.
    PromotionHolds,
    /// A halted rollout is taken over only when nothing runs on its servers.
    TakeOverAwaitsSteps,
    /// A rollback never goes below the floor, and keeps what it cannot take back.
    RefusedByFloorGoesBack,
}

impl Rule {
    /// All rules.
    pub const ALL: &'static [Self] = &[
        Self::AllBalancersAnswer,
        Self::StuckStays,
        Self::HoldOnlyUnproven,
        Self::ProofBeforeReturn,
        Self::AnswerNamesCommand,
        Self::RefusalIsLimited,
        Self::PersonWaitEnds,
        Self::WordCountsOnce,
        Self::RequestCountsOnce,
        Self::FailureStops,
        Self::StrayIsRepaired,
        Self::OneRollout,
        Self::OneBatch,
        Self::TestBeforeRestore,
        Self::VoteNamesPlan,
        Self::RequesterMayNotVote,
        Self::SilenceIsNoVerdict,
        Self::RunningStepIsAwaited,
        Self::ClocksRestart,
        Self::MarginIsWaited,
        Self::CalendarHolds,
        Self::PromotionHolds,
        Self::TakeOverAwaitsSteps,
        Self::RefusedByFloorGoesBack,
    ];
}

/// Which rules hold: all of them, but in a walk that breaks one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Rules {
    #[cfg(feature = "breakable")]
    broken: Option<Rule>,
}

impl Rules {
    /// All rules but one.
    #[cfg(feature = "breakable")]
    #[must_use]
    pub const fn without(rule: Rule) -> Self {
        Self { broken: Some(rule) }
    }

    #[cfg(feature = "breakable")]
    pub(crate) fn hold(self, rule: Rule) -> bool {
        self.broken != Some(rule)
    }

    #[cfg(not(feature = "breakable"))]
    #[expect(
        clippy::unused_self,
        reason = "one signature with and without the feature"
    )]
    pub(crate) const fn hold(self, _rule: Rule) -> bool {
        true
    }
}
