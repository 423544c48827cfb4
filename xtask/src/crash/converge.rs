//! Whether everything is as it should be after a rollout: asked of the servers and the HAProxies
//! themselves, and of what Poolshift says.

use anyhow::Result;
use events::{Outcome, RolloutFinished};
use std::time::Duration;
use tests::haproxy::Haproxy;
use tests::world::World;

/// A server that came back is UP after HAProxy's next check, and the controllers report it then.
const SETTLES: Duration = Duration::from_secs(10);

/// What is not as it should be.
pub(super) async fn wrong(world: &World, end: &RolloutFinished, wanted: &str) -> Vec<String> {
    let mut wrong = vec![];
    // A suite whose HAProxy is killed in the middle has failed: going back is right then.
    if !matches!(end.outcome, Outcome::Succeeded | Outcome::RolledBack) {
        wrong.push(format!("it ended as {}: {}", end.outcome, end.reason));
    }
    for (name, servers) in [
        ("stuck", &end.stuck),
        ("left", &end.left),
        ("except", &end.except),
    ] {
        if !servers.is_empty() {
            wrong.push(format!("{name}: {servers:?}"));
        }
    }
    for server in &world.stage.fleet.servers {
        match server.ask("/version").await {
            Ok(answer) if answer.version == wanted => {}
            Ok(answer) => wrong.push(format!(
                "{} runs {}, not {wanted}",
                server.name, answer.version
            )),
            Err(error) => wrong.push(format!("{} does not answer: {error:#}", server.name)),
        }
    }
    let seen = world.settled(wanted, SETTLES).await;
    wrong.extend(seen.err().map(|error| format!("{error:#}")));
    for balancer in &world.stage.balancers {
        match not_online(balancer).await {
            Ok(out) if out.is_empty() => {}
            Ok(out) => wrong.push(format!("{}: {}", balancer.layout.name, out.join(", "))),
            Err(error) => wrong.push(format!("{}: {error:#}", balancer.layout.name)),
        }
    }
    wrong
}

/// Servers that are not UP in the online pool, by HAProxy's own word.
async fn not_online(balancer: &Haproxy) -> Result<Vec<String>> {
    let stat = balancer.admin("show stat").await?;
    let rows = stat.lines().map(|line| line.split(',').collect::<Vec<_>>());
    let online = rows.filter(|row| row.len() > 17 && row[0] == balancer.layout.service);
    let servers = online.filter(|row| !matches!(row[1], "FRONTEND" | "BACKEND"));
    let out = servers.filter(|row| row[17] != "UP");
    Ok(out
        .map(|row| format!("{} is {}", row[1], row[17]))
        .collect())
}
