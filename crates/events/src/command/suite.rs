//! Run suites against a server in the maintenance pool.

use serde::{Deserialize, Serialize};

use super::artifact::Artifact;
use super::check::Expect;

/// Run suites against a server in the maintenance pool.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Test {
    /// The suites, in order.
    pub suites: Vec<Suite>,
    /// The service's folder on the machine; suites run in the folder of the installed version, or
    /// in that of its package of tests.
    pub into: String,
    /// The package that the suites are run from; none: they lie in the artifact itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tests: Option<Artifact>,
    /// Where testers reach the server: one balancer's maintenance pool.
    pub url: String,
    /// The request header that pins a request to one server.
    pub header: String,
    /// The response header that names who answered.
    pub answered_by: String,
    /// Who must answer.
    pub expect: Expect,
}

/// One test suite.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Suite {
    /// Its name.
    pub name: String,
    /// The program and its arguments.
    pub argv: Vec<String>,
    /// The file it writes its results to: JUnit, NUnit, TRX or xUnit.net XML.
    pub results: String,
    /// The least number of tests that must have run.
    pub at_least: u32,
    /// How long it may run, in milliseconds.
    pub timeout_ms: u64,
    /// Variables of the agent's own environment that it may see, by name.
    pub env_names: Vec<String>,
}
