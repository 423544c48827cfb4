//! Which test belongs to which part, and what a part may cost.

use super::build::Program;
use std::fmt;
use std::time::Duration;

/// A part of the tests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Group {
    /// What is pure, and the log.
    Core,
    /// Agents, as real processes.
    Agents,
    /// The agent for Windows, under wine.
    Windows,
    /// Real HAProxies.
    HaProxy,
    /// Doors for people and programs.
    Doors,
    /// Real brokers.
    Kafka,
    /// All of it, killed at any moment.
    Proof,
}

/// What is run for a part beside its test programs.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Chore {
    /// Words for cargo.
    Cargo(&'static [&'static str]),
    /// Words for `cargo xtask`.
    Xtask(&'static [&'static str]),
}

impl fmt::Display for Chore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cargo(words) => write!(f, "cargo {}", words.join(" ")),
            Self::Xtask(words) => write!(f, "cargo xtask {}", words.join(" ")),
        }
    }
}

impl Group {
    pub(crate) const ALL: [Self; 7] = [
        Self::Core,
        Self::Agents,
        Self::Windows,
        Self::HaProxy,
        Self::Doors,
        Self::Kafka,
        Self::Proof,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Core => "core",
            Self::Agents => "agents",
            Self::Windows => "windows",
            Self::HaProxy => "haproxy",
            Self::Doors => "doors",
            Self::Kafka => "kafka",
            Self::Proof => "proof",
        }
    }

    pub(crate) fn budget(self) -> Duration {
        let minutes = match self {
            Self::Core | Self::Proof => 6,
            Self::Windows => 4,
            Self::Agents => 9,
            Self::HaProxy => 8,
            Self::Doors => 5,
            Self::Kafka => 10,
        };
        Duration::from_secs(minutes * 60)
    }

    /// What is run for it beside its test programs.
    pub(crate) fn chores(self) -> &'static [Chore] {
        match self {
            Self::Core => &[
                Chore::Cargo(&["test", "--quiet", "--locked", "--workspace", "--doc"]),
                Chore::Xtask(&["walk", "--runs", "2000"]),
            ],
            Self::Proof => &[Chore::Xtask(&["crash"])],
            Self::Agents | Self::Windows | Self::HaProxy | Self::Doors | Self::Kafka => &[],
        }
    }
}

/// The part that a test program belongs to; `None` for the tidy test, which the check runs. A crate
/// that is named nowhere belongs to the core.
pub(crate) fn group_of(program: &Program) -> Option<Group> {
    match (program.package.as_str(), program.target.as_str()) {
        ("poolshift-tests", "tidy") => None,
        ("poolshift-tests", "dayone") => Some(Group::Doors),
        ("poolshift-bus", "kafka") => Some(Group::Kafka),
        ("poolshift-agent", "wine") => Some(Group::Windows),
        ("poolshift-agent", _) => Some(Group::Agents),
        ("poolshift-lb-controller" | "poolshift-health-checker" | "poolshift-tests", _) => {
            Some(Group::HaProxy)
        }
        ("poolshift-gateway" | "poolshift", _) => Some(Group::Doors),
        _ => Some(Group::Core),
    }
}
