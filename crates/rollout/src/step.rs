//! The steps of a server through a rollout, and back.

use serde::{Deserialize, Serialize};

/// Which way a server goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Way {
    /// To the new version.
    Forward,
    /// To the last proven one.
    Back,
}

/// One step, in the order they are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Step {
    /// Download while the server is still online. Forward only.
    Fetch,
    /// Out of the online pool.
    Drain,
    /// Switch, restart, prove what runs.
    Install,
    /// Probe before the tests.
    Check1,
    /// The suites.
    Test,
    /// Probe after the tests.
    Check2,
    /// Back into the online pool.
    Restore,
    /// Customers reach it: does it serve them as well as the others? Forward only: what it goes back
    /// to has served them before.
    Watch,
}

/// Which steps a service has beside those that all have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Course {
    /// It has suites.
    pub tests: bool,
    /// Its servers are watched when they are back.
    pub watch: bool,
}

impl Step {
    /// Its word in a command's id.
    #[must_use]
    pub const fn word(self, way: Way) -> &'static str {
        match (way, self) {
            (Way::Forward, Self::Fetch) => "fetch",
            (Way::Forward, Self::Drain) => "drain",
            (Way::Forward, Self::Install) => "install",
            (Way::Forward, Self::Check1) => "check-1",
            (Way::Forward, Self::Test) => "test",
            (Way::Forward, Self::Check2) => "check-2",
            (Way::Forward, Self::Restore) => "restore",
            (Way::Forward, Self::Watch) => "watch",
            (Way::Back, Self::Fetch) => "back-fetch",
            (Way::Back, Self::Drain) => "back-drain",
            (Way::Back, Self::Install) => "back-install",
            (Way::Back, Self::Check1) => "back-check-1",
            (Way::Back, Self::Test) => "back-test",
            (Way::Back, Self::Check2) => "back-check-2",
            (Way::Back, Self::Restore) => "back-restore",
            (Way::Back, Self::Watch) => "back-watch",
        }
    }

    /// How often it is tried when it fails in a way that is no verdict.
    #[must_use]
    pub const fn tries(self) -> u32 {
        match self {
            Self::Drain | Self::Install | Self::Restore => 3,
            Self::Fetch | Self::Check1 | Self::Test | Self::Check2 | Self::Watch => 2,
        }
    }

    /// Whether only its own answer, or its deadline, ends it: what runs on the machine cannot be
    /// called back.
    #[must_use]
    pub const fn must_be_awaited(self) -> bool {
        matches!(self, Self::Install | Self::Test)
    }

    /// The step after this one.
    #[must_use]
    pub const fn next(self, way: Way, course: Course) -> Option<Self> {
        match self {
            Self::Fetch => Some(Self::Drain),
            Self::Drain => Some(Self::Install),
            Self::Install => Some(Self::Check1),
            Self::Check1 if course.tests => Some(Self::Test),
            Self::Test => Some(Self::Check2),
            Self::Check1 | Self::Check2 => Some(Self::Restore),
            Self::Restore if course.watch && matches!(way, Way::Forward) => Some(Self::Watch),
            Self::Restore | Self::Watch => None,
        }
    }

    /// Whether passing this step proves the version: it is the last check.
    #[must_use]
    pub const fn proves(self, course: Course) -> bool {
        match self {
            Self::Check1 => !course.tests,
            Self::Check2 => true,
            Self::Fetch
            | Self::Drain
            | Self::Install
            | Self::Test
            | Self::Restore
            | Self::Watch => false,
        }
    }
}
