//! One release of the shop: the content of its artifact.

use serde::{Deserialize, Serialize};

/// The file `release.toml`, at the top of the artifact and so of each `releases/VERSION`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Release {
    /// Its version, as every answer names it.
    pub version: String,
    /// How it behaves.
    #[serde(default)]
    pub behaviour: Behaviour,
    /// How long after its start it answers 503 to everything.
    #[serde(default = "half_a_second")]
    pub ready_after_ms: u64,
    /// How many of a thousand customers get a 500, evenly among them; the first hundred do not, so
    /// that neither a check nor a suite finds it.
    #[serde(default)]
    pub fails_of_1000: u64,
    /// How long it takes for the front page, in milliseconds.
    #[serde(default)]
    pub front_page_ms: u64,
}

/// How a release behaves.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Behaviour {
    /// As it should.
    #[default]
    Good,
    /// Forgets the quantities when it adds up an order. Status and health look well: only somebody
    /// who knows the right total finds it.
    Bad,
    /// Never becomes ready: the health check finds it.
    NeverReady,
}

impl Release {
    /// A release that behaves as it should.
    #[must_use]
    pub fn good(version: &str) -> Self {
        Self {
            version: version.to_owned(),
            behaviour: Behaviour::Good,
            ready_after_ms: half_a_second(),
            fails_of_1000: 0,
            front_page_ms: 0,
        }
    }

    /// The same version, behaving like this.
    #[must_use]
    pub fn behaving(self, behaviour: Behaviour) -> Self {
        Self { behaviour, ..self }
    }

    /// The same version, failing so many of a thousand customers.
    #[must_use]
    pub fn failing(self, fails_of_1000: u64) -> Self {
        Self {
            fails_of_1000,
            ..self
        }
    }

    /// The same version, taking so long for its front page.
    #[must_use]
    pub fn taking(self, front_page_ms: u64) -> Self {
        Self {
            front_page_ms,
            ..self
        }
    }
}

fn half_a_second() -> u64 {
    500
}
