//! Rules that a walk can break on purpose: those of the brain, and those of the world around it.

use std::fmt;
use std::str::FromStr;

use rollout::Rule;

/// A rule of the shells, the bus and the workers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum WorldRule {
    /// The intent is in the log before any worker can see the command.
    IntentBeforeAct,
    /// A former owner's commit is refused, and workers refuse lower fences.
    Fences,
    /// A former owner's commit is refused.
    BrokerFence,
    /// A new owner folds to its own record before it decides.
    Barrier,
    /// The scratch copy is adopted when its commit has succeeded.
    AdoptOnCommit,
    /// The floor is judged against what HAProxy says now.
    LiveFloor,
    /// After a drain, look again.
    SecondLook,
    /// The state file is saved after the change and before the report.
    StateFileFirst,
    /// A worker that starts reads the commands to the end before it acts.
    ReadToEnd,
    /// A new owner publishes the record of every server anew.
    AllRecordsPublished,
    /// The agent's journal outlives it.
    Journal,
    /// The line that begins a command is in the journal before its program begins.
    JournalFirst,
    /// One lb-controller beside each HAProxy: the former is dead before the next acts.
    LbLock,
    /// What keeps a server out is re-asserted at every look.
    Reassert,
    /// Marks of what was taken out outlive the controller.
    Marks,
}

/// A rule that is broken in a walk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Break {
    /// One of the brain's.
    Brain(Rule),
    /// One of the world's.
    World(WorldRule),
}

impl WorldRule {
    const ALL: &'static [Self] = &[
        Self::IntentBeforeAct,
        Self::Fences,
        Self::BrokerFence,
        Self::Barrier,
        Self::AdoptOnCommit,
        Self::LiveFloor,
        Self::SecondLook,
        Self::StateFileFirst,
        Self::ReadToEnd,
        Self::AllRecordsPublished,
        Self::Journal,
        Self::JournalFirst,
        Self::LbLock,
        Self::Reassert,
        Self::Marks,
    ];
}

impl Break {
    /// Every rule that can be broken.
    #[must_use]
    pub fn all() -> Vec<Self> {
        let world = WorldRule::ALL.iter().copied().map(Self::World);
        world
            .chain(Rule::ALL.iter().copied().map(Self::Brain))
            .collect()
    }

    /// Why no invariant can see that it is broken, for those that are second lines behind others.
    #[must_use]
    pub const fn unseen(self) -> Option<&'static str> {
        let Self::Brain(rule) = self else {
            return None;
        };
        if matches!(rule, Rule::SilenceIsNoVerdict) {
            Some("good rollouts fail more often; every invariant bears that")
        } else if matches!(rule, Rule::RunningStepIsAwaited) {
            Some("second line: an agent ends what it runs before it begins anything else")
        } else if matches!(rule, Rule::ClocksRestart) {
            Some("after an outage more steps time out and are tried again")
        } else if matches!(rule, Rule::MarginIsWaited) {
            Some("late answers are lost, and the step is tried again")
        } else if matches!(rule, Rule::TakeOverAwaitsSteps) {
            Some("walks have not met it; the transcript supersede_halted holds it")
        } else {
            None
        }
    }

    /// Its name on the command line, such as `intent-before-act`.
    #[must_use]
    pub fn name(self) -> String {
        let debug = match self {
            Self::Brain(rule) => format!("{rule:?}"),
            Self::World(rule) => format!("{rule:?}"),
        };
        let mut name = String::new();
        for letter in debug.chars() {
            if letter.is_ascii_uppercase() && !name.is_empty() {
                name.push('-');
            }
            name.push(letter.to_ascii_lowercase());
        }
        name
    }
}

/// A name that is no rule's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownRule(String);

impl fmt::Display for UnknownRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<String> = Break::all().into_iter().map(Break::name).collect();
        let names = names.join(", ");
        write!(f, "there is no rule `{}`; use one of: {names}", self.0)
    }
}

impl std::error::Error for UnknownRule {}

impl FromStr for Break {
    type Err = UnknownRule;

    fn from_str(name: &str) -> Result<Self, UnknownRule> {
        Self::all()
            .into_iter()
            .find(|rule| rule.name() == name)
            .ok_or_else(|| UnknownRule(name.to_owned()))
    }
}
