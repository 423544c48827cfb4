//! What stands in the file of `poolshift serve`.

use std::path::PathBuf;

use serde::Deserialize;

/// Settings of all parts. See `deploy/serve.example.toml`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {
    /// The file of the log: all that Poolshift knows. Made at the first start.
    #[serde(default = "log")]
    pub(crate) log: PathBuf,
    /// A folder of service files, applied at each start as `poolshift apply` does.
    pub(crate) catalogue: Option<PathBuf>,
    /// The file with people, their ids and roles; none: nobody can vote.
    pub(crate) people: Option<PathBuf>,
    /// The HTTP door.
    #[serde(default)]
    pub(crate) gateway: gateway::Settings,
    /// One for each HAProxy on this machine.
    #[serde(default)]
    pub(crate) lb_controller: Vec<lb_controller::Settings>,
    /// Who checks servers before they go back.
    #[serde(default)]
    pub(crate) health_checker: health_checker::Settings,
    /// Who decides.
    #[serde(default)]
    pub(crate) orchestrator: orchestrator::Settings,
}

fn log() -> PathBuf {
    PathBuf::from("poolshift.db")
}

impl Settings {
    /// Those of the gateway, which knows people by the same file.
    pub(crate) fn gateway(&self) -> gateway::Settings {
        let mut gateway = self.gateway.clone();
        gateway.people = gateway.people.or_else(|| self.people.clone());
        gateway
    }
}
