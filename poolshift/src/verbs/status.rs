//! `poolshift status`.

use events::{Pool, RolloutId, Target};
use serde::Serialize;
use view::{
    GateView, OutReason, PoolView, RolloutStatus, RolloutView, ServerView, TargetView, WaitView,
};

use crate::api;
use crate::client::Client;
use crate::exit;
use crate::failure::Failure;
use crate::said::Said;
use crate::table::{row, table};

/// A target with the rollouts that run or wait on it.
#[derive(Debug, Serialize)]
pub(crate) struct Status {
    #[serde(flatten)]
    target: TargetView,
    rollouts: Vec<RolloutView>,
}

/// One target, or all. One that stands still is something wrong.
pub(crate) async fn run(
    client: &Client,
    target: Option<Target>,
    json: bool,
) -> anyhow::Result<Said> {
    let targets = match &target {
        Some(target) => vec![api::target(client, target).await?],
        None => client.get("/targets").await?,
    };
    let mut all = Vec::new();
    for target in targets {
        let ids = target.rollout.iter().chain(&target.queue);
        let mut rollouts = Vec::new();
        for id in ids {
            rollouts.push(rollout(client, id).await?);
        }
        all.push(Status { target, rollouts });
    }
    let alarm = super::log::alarm(client).await;
    let still = all
        .iter()
        .any(|status| status.target.stands_still.is_some());
    let mut said = Said::either(json, &all, || {
        if all.is_empty() {
            return "no targets yet: `poolshift apply DIR` brings in a catalogue".to_owned();
        }
        let texts: Vec<String> = all.iter().map(text).chain(alarm).collect();
        texts.join("\n\n")
    })?;
    if still {
        said.code = exit::REFUSED;
    }
    Ok(said)
}

async fn rollout(client: &Client, id: &RolloutId) -> Result<RolloutView, Failure> {
    client.get(&format!("/rollouts/{id}")).await
}

fn text(status: &Status) -> String {
    let Status { target, rollouts } = status;
    let mut lines = vec![format!(
        "{}  floor {} of {}, owner {}",
        target.target,
        target.floor,
        target.servers.len(),
        target.owner
    )];
    lines.extend(
        target
            .waiting
            .iter()
            .map(|wait| format!("  {}", waits(wait))),
    );
    lines.extend(target.freezes.iter().map(|freeze| {
        let (from, until) = (freeze.from, freeze.until);
        format!("  frozen from {from} until {until}: {}", freeze.reason)
    }));
    for rollout in rollouts {
        lines.push(format!("  {}", head(rollout)));
        lines.extend(
            rollout
                .gates
                .iter()
                .map(|gate| format!("    {}", door(gate))),
        );
    }
    let mut rows = vec![row(["SERVER", "MACHINE", "POOLS", "VERSION", "NOW"])];
    rows.extend(target.servers.iter().map(server));
    lines.extend(table(&rows).lines().map(|line| format!("  {line}")));
    lines.join("\n")
}

/// What is waited for, and whether for a person.
pub(crate) fn waits(wait: &WaitView) -> String {
    let who = if wait.person {
        "waits for a person"
    } else {
        "waits"
    };
    let until = wait
        .until
        .map(|until| format!(" (until {until})"))
        .unwrap_or_default();
    format!("{who}: {}{until}", wait.what)
}

/// A rollout in one line.
pub(crate) fn head(rollout: &RolloutView) -> String {
    let batch = rollout.batch_now.map_or(String::new(), |now| {
        format!(", batch {now} of {}", rollout.batches.len())
    });
    let why = rollout
        .reason
        .as_ref()
        .map_or(String::new(), |reason| format!(": {reason}"));
    let state = rollout
        .outcome
        .as_ref()
        .map_or(word(rollout.status).to_owned(), ToString::to_string);
    format!(
        "rollout {} of {}: {state}{batch}{why}",
        rollout.id, rollout.version
    )
}

/// A gate in one line.
fn door(gate: &GateView) -> String {
    let state = match &gate.waits_for {
        _ if gate.overridden => "overridden".to_owned(),
        Some(waits_for) => format!("waits for {waits_for} (until {})", gate.until),
        None => "open".to_owned(),
    };
    format!("gate {}: {state}", gate.id)
}

/// A status as people say it.
pub(crate) const fn word(status: RolloutStatus) -> &'static str {
    match status {
        RolloutStatus::Accepted => "accepted",
        RolloutStatus::WaitingApproval => "waiting for approval",
        RolloutStatus::WaitingGate => "waiting at its gates",
        RolloutStatus::Queued => "queued",
        RolloutStatus::Running => "running",
        RolloutStatus::Paused => "paused",
        RolloutStatus::Halted => "halted",
        RolloutStatus::RollingBack => "rolling back",
        RolloutStatus::Finished => "finished",
    }
}

fn server(server: &ServerView) -> Vec<String> {
    let version = server
        .proven
        .as_ref()
        .map_or("unknown".to_owned(), |release| release.version.to_string());
    let unproven = if server.unproven { " (unproven)" } else { "" };
    let now = [out(server), outstanding(server)];
    let now: Vec<String> = now.into_iter().flatten().collect();
    row([
        server.name.as_str(),
        server.machine.as_str(),
        &pools(&server.pools),
        &format!("{version}{unproven}"),
        &now.join("; "),
    ])
}

fn out(server: &ServerView) -> Option<String> {
    let out = server.out.as_ref()?;
    let kind = match out.kind {
        OutReason::Held => "held",
        OutReason::Stuck => "stuck",
        OutReason::Left => "left",
    };
    Some(format!("{kind}: {}", out.why))
}

fn outstanding(server: &ServerView) -> Option<String> {
    let outstanding = server.outstanding.as_ref()?;
    let attempt = match outstanding.attempt {
        0 | 1 => String::new(),
        attempt => format!(", try {attempt}"),
    };
    Some(format!("{}{attempt}", outstanding.kind))
}

/// The same on every balancer is said once.
fn pools(pools: &[PoolView]) -> String {
    let said = |pool: &PoolView| {
        let up = if pool.up { "UP" } else { "DOWN" };
        let name = match &pool.pool {
            Pool::Online => "online",
            Pool::Maintenance => "maintenance",
            Pool::ByPerson => "out by a person",
            Pool::Gone => "gone",
            Pool::Other(word) => word,
        };
        format!("{name} {up}")
    };
    let Some(first) = pools.first().map(said) else {
        return "not seen yet".to_owned();
    };
    if pools.iter().all(|pool| said(pool) == first) {
        return first;
    }
    let each: Vec<String> = pools
        .iter()
        .map(|pool| format!("{}: {}", pool.balancer, said(pool)))
        .collect();
    each.join(", ")
}
