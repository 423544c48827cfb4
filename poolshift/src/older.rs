//! Machines whose agents are older than what a service file asks of them.

use std::collections::BTreeMap;

use events::{MachineName, Since};
use rollout::catalogue::Entry;
use serde::Deserialize;

use crate::client::Client;
use crate::failure::Failure;

/// Agents by their machine, each with the version that it last said it is; only those that have
/// spoken since the start of `serve`.
pub(crate) type Agents = BTreeMap<MachineName, String>;

#[derive(Deserialize)]
struct Machine {
    machine: MachineName,
    agent_version: Option<String>,
}

/// The agents that the server knows.
///
/// # Errors
/// When the API does not answer.
pub(crate) async fn agents(client: &Client) -> Result<Agents, Failure> {
    let machines: Vec<Machine> = client.get("/machines").await?;
    let spoken = machines
        .into_iter()
        .filter_map(|one| one.agent_version.map(|version| (one.machine, version)));
    Ok(spoken.collect())
}

/// What is wrong with this machine's agent for this entry; none: it can do all of it.
pub(crate) fn too_old(entry: &Entry, version: &str) -> Option<String> {
    let (since, what) = asked(entry)?;
    let is_old = numbers(version).is_some_and(|known| known < since);
    is_old.then(|| {
        format!(
            "its agent is {version}, and {what} needs {}.{} or later: it would refuse",
            since.0, since.1
        )
    })
}

/// What needs the newest agents, as far as a service file says: `Command::agents_since` has the
/// last word.
fn asked(entry: &Entry) -> Option<(Since, &'static str)> {
    if entry.own.is_some() {
        return Some(((0, 2), "a target without a load balancer"));
    }
    (!entry.install.stop.is_empty()).then_some(((0, 2), "`stop` in [install]"))
}

/// Major and minor.
pub(crate) fn numbers(version: &str) -> Option<Since> {
    let mut parts = version.split('.').map(str::parse);
    Some((parts.next()?.ok()?, parts.next()?.ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = r#"name = "shop"
owner = "team"
[artifact]
url = "https://artifacts.example/shop-{version}.tar.gz"
[install]
kind = "archive"
into = "/srv/shop"
restart = ["true"]
prove = { http = "/version" }
[check]
http = { path = "/health", status = 200, body = "{version}" }
[environments.production]
balancers = [{ name = "lb1", testers = "http://10.0.0.11:8081" }]
online = "shop"
maintenance = "shop_maintenance"
servers = [
  { name = "web1", machine = "m1", address = "10.1.0.1:8080" },
  { name = "web2", machine = "m2", address = "10.1.0.2:8080" },
]
"#;

    fn entry(file: &str) -> Entry {
        let target = "production/shop".parse().unwrap();
        rollout::catalogue::entry_of(file, &target).unwrap()
    }

    #[test]
    fn an_agent_is_too_old_only_for_what_it_would_refuse() {
        assert_eq!(too_old(&entry(FILE), "0.1.0"), None);
        let stops = FILE.replace("restart =", "stop = [\"true\"]\nrestart =");
        let stops = entry(&stops);
        assert_eq!(
            too_old(&stops, "0.1.0").unwrap(),
            "its agent is 0.1.0, and `stop` in [install] needs 0.2 or later: it would refuse"
        );
        assert_eq!(too_old(&stops, "0.2.0"), None);
        assert_eq!(too_old(&stops, "0.10.0"), None);
        assert_eq!(too_old(&stops, "unknown"), None);
    }
}
