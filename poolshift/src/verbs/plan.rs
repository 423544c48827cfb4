//! `poolshift plan`: what a rollout would do.
//!
//! The plan is made by the brain's own function from the fold of the target's events, read over
//! the API; so it is what the server would plan at this moment. Its digest is not shown: that is
//! taken when a rollout is asked for, with its id and times in it.

mod watch;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

use events::{
    Actor, ActorKind, Cause, Digest, Event, Gate, GateKind, Plan, RequestedArtifact, RolloutId,
    RolloutRequested, ServerName, ServiceDefined, Target, Timestamp, Trust, Version, sha256,
};
use rollout::catalogue::units::duration_text;
use rollout::{Stamp, State, apply};

use crate::api::{self, Shown};
use crate::catalogue::{self, File};
use crate::client::Client;
use crate::failure::Failure;
use crate::older::{self, Agents};
use crate::said::Said;

/// Plans, and starts nothing.
pub(crate) async fn run(
    client: &Client,
    target: Target,
    version: Version,
    folder: Option<PathBuf>,
    json: bool,
) -> anyhow::Result<Said> {
    let (state, agents) = match folder {
        Some(folder) => {
            let state = defined(&target, &catalogue::load(&[folder])?)?;
            (state, Agents::default())
        }
        None => {
            api::target(client, &target).await?;
            let events = api::events_after(client, &target, 0).await?;
            (folded(&target, &events)?, older::agents(client).await?)
        }
    };
    let asked = asked(&state, version);
    let sealed = rollout::plan(&state, &asked, now())
        .map_err(|error| Failure::refused(format!("{target} cannot be planned: {error}")))?;
    let plan = sealed.value();
    Said::either(json, plan, || {
        [text(plan, &state), too_old(plan, &state, &agents)].concat()
    })
}

/// The state of a target of which only the entry is known.
fn defined(target: &Target, files: &[File]) -> Result<State, Failure> {
    catalogue::entry(files, target)?;
    let mut state = State::new(target.clone());
    let names = |file: &&File| {
        let mut entries = file.service.entries.iter();
        entries.any(|entry| entry.target == *target)
    };
    if let Some(file) = files.iter().find(names) {
        let event = Event::from(ServiceDefined {
            entry: file.text.clone(),
            sha256: file.sha256(),
            by: ourselves(),
        });
        apply(&mut state, &event, stamp(Timestamp::ZERO, Cause::Clock));
    }
    Ok(state)
}

/// The state of a target as the server has it.
fn folded(target: &Target, events: &[Shown]) -> Result<State, Failure> {
    let mut state = State::new(target.clone());
    for shown in events {
        let event = Event::from_bytes(&shown.kind, shown.v, shown.body.get().as_bytes());
        let event = event
            .map_err(|error| Failure::refused(format!("event {} of {target}: {error}", shown.n)))?;
        let cause = shown.cause.as_deref().and_then(|cause| cause.parse().ok());
        let at = shown.at.unwrap_or(shown.reported_at);
        apply(&mut state, &event, stamp(at, cause.unwrap_or(Cause::Clock)));
    }
    Ok(state)
}

const fn stamp(at: Timestamp, cause: Cause) -> Stamp {
    Stamp { at, cause }
}

fn ourselves() -> Actor {
    Actor {
        kind: ActorKind::Process,
        id: "cli".to_owned(),
    }
}

/// The digest of the artifact changes nothing of what would be done.
fn asked(state: &State, version: Version) -> RolloutRequested {
    let sha256 = sha256(b"");
    RolloutRequested {
        rollout: RolloutId::of(&state.target, "cli", "plan"),
        key: "plan".to_owned(),
        sender: "cli".to_owned(),
        entry_sha256: state.entry_sha256.unwrap_or(sha256),
        version,
        tests: None,
        artifact: RequestedArtifact { url: None, sha256 },
        requested_by: ourselves(),
        proven: true,
        claims: Vec::new(),
        build: None,
        commit: None,
        change: None,
        trust: Trust::Full,
        content: Digest::from_bytes([0; 32]),
    }
}

fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    let ms = since.map_or(0, |since| since.as_millis());
    Timestamp::from_ms(i64::try_from(ms).unwrap_or(i64::MAX))
}

fn text(plan: &Plan, state: &State) -> String {
    let mut lines = vec![format!(
        "{} to {}: {} servers in {} batches, never fewer than {} UP",
        plan.version,
        plan.target,
        plan.servers.len(),
        plan.batches.len(),
        plan.floor
    )];
    if let Some(running) = &state.rollout {
        lines.push(format!(
            "  waits for the rollout of {} that is there",
            running.plan.version
        ));
    }
    for (index, batch) in plan.batches.iter().enumerate() {
        lines.push(format!("  batch {}: {}", index + 1, names(batch)));
    }
    for gate in &plan.gates {
        let what = gate_text(gate);
        lines.push(format!("  before the first: {what}, until {}", gate.until));
    }
    if let Some(entry) = &state.entry {
        lines.extend(watch::lines(entry, plan));
    }
    lines.push(format!("  artifact: {}", plan.artifact.url));
    for server in &plan.servers {
        let name = &server.server;
        let previous = server.previous.as_ref();
        let back = previous.map_or(
            "NO WAY BACK: nobody knows what runs".to_owned(),
            |release| format!("goes back to {}", release.version),
        );
        let down = if server.up { "" } else { ", is DOWN now" };
        lines.push(format!("  {name}: {back}{down}"));
    }
    if !plan.no_way_back.is_empty() {
        lines.push(format!(
            "  no way back for {}: `poolshift adopt` records what runs",
            names(&plan.no_way_back)
        ));
    }
    lines.join("\n")
}

/// A line for each machine whose agent would refuse.
fn too_old(plan: &Plan, state: &State, agents: &Agents) -> String {
    let machines: BTreeSet<_> = plan.servers.iter().map(|server| &server.machine).collect();
    let lines = machines.into_iter().filter_map(|machine| {
        let why = older::too_old(state.entry.as_deref()?, agents.get(machine)?)?;
        Some(format!("\n  TOO OLD: machine {machine}: {why}"))
    });
    lines.collect()
}

fn gate_text(gate: &Gate) -> String {
    match (&gate.kind, &gate.promotion, gate.windows.first()) {
        (GateKind::Promotion, Some(wanted), _) => format!(
            "a success of the same digest in {} within the last {}",
            wanted.from,
            duration_text(wanted.within_ms)
        ),
        (GateKind::Window, _, Some(window)) => format!(
            "a window; the next is from {} to {}",
            window.opens_at, window.closes_at
        ),
        (GateKind::Freeze, ..) => "the end of the freeze".to_owned(),
        (GateKind::Approval | GateKind::Promotion | GateKind::Window | GateKind::Other(_), ..) => {
            format!("{} approvals by {}", gate.count, events::voters(&gate.from))
        }
    }
}

fn names(names: &[ServerName]) -> String {
    let names: Vec<&str> = names.iter().map(ServerName::as_str).collect();
    names.join(", ")
}

#[cfg(test)]
mod tests {
    use events::Requests;

    use super::*;

    const SHOP: &str = r#"
name = "shop"
owner = "sales"
[artifact]
url = "https://artifacts.example/shop/{version}.tar.gz"
[install]
kind = "archive"
into = "/srv/shop"
restart = ["systemctl", "restart", "shop"]
prove = { http = "/version" }
[check]
http = { path = "/health", body = "{version}" }
[rollout]
BATCHES
no_way_back = "allow"
WATCH
[environments.production]
balancers = [{ name = "lb1", testers = "http://10.0.0.11:8081" }]
online = "shop"
maintenance = "shop_maintenance"
servers = [
  { name = "web1", machine = "srv-101", address = "10.1.0.1:8080" },
  { name = "web2", machine = "srv-102", address = "10.1.0.2:8080" },
  { name = "web3", machine = "srv-103", address = "10.1.0.3:8080" },
]
"#;

    /// What is said of watching, with these words in `[rollout]`.
    fn watched(words: &str, baseline: Option<Requests>) -> String {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("shop.toml");
        let batches = if words.contains("batches") {
            ""
        } else {
            "batches = [1, 2]"
        };
        let text_of = SHOP.replace("WATCH", words).replace("BATCHES", batches);
        std::fs::write(&file, text_of).expect("a file");
        let files = catalogue::load(&[folder.path().to_path_buf()]).expect("a catalogue");
        let target: Target = "production/shop".parse().expect("a target");
        let mut state = defined(&target, &files).expect("an entry");
        state.baseline = baseline;
        let asked = asked(&state, "2.0".parse().expect("a version"));
        let sealed = rollout::plan(&state, &asked, now()).expect("a plan");
        let said = text(sealed.value(), &state);
        let is_ours = |line: &&str| line.starts_with("    ") || line.starts_with("  watch");
        said.lines().filter(is_ours).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn what_will_be_watched_is_said_with_what_it_is_held_against() {
        let before = |requests| {
            Some(Requests {
                requests,
                errors_5xx: 812,
                broken: 3,
            })
        };
        let said = [
            watched("", None),
            watched("watch = { for = \"60s\" }", before(90_000)),
            watched("watch = { if_too_few = \"extend\" }", before(100)),
            watched(
                "batches = [3]\nfloor = 0\nwatch = { max_5xx_share = 0.005, if_too_few = \"fail\" }",
                before(90_000),
            ),
            watched("batches = [3]\nfloor = 0\nwatch = {}", None),
            watched("watch = { for = \"90s\", max_response = \"300ms\" }", None),
            watched(
                "watch = { for = \"5s\", max_response = \"1s\", probe_path = \"/search?q=tea\" }",
                None,
            ),
        ];
        insta::assert_snapshot!(said.join("\n\n"));
    }
}
