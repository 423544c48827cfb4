//! The machines, as their agents see them.

use std::collections::{BTreeMap, BTreeSet};

use events::{LookAt, Looked, MachineName, Timestamp};
use rollout::catalogue::{Entry, ServerRule, units::size_text};
use serde::Deserialize;

use crate::client::Client;
use crate::doctor::{Findings, Patient};
use crate::failure::Failure;
use crate::older::{self, numbers};

/// Beyond this a clock is wrong, in milliseconds: the orchestrator waits 5 s longer than a worker,
/// which is twice the clock skew plus delivery.
const SKEW_MAX_MS: u64 = 2_000;

/// The first version whose agents answer looks.
const LOOKS_SINCE: (u64, u64) = (0, 2);

#[derive(Deserialize)]
struct Machine {
    machine: MachineName,
    revoked: bool,
    #[serde(default)]
    stands_still: Option<String>,
    last_seen: Option<Timestamp>,
    #[serde(default)]
    agent_version: Option<String>,
}

#[derive(Deserialize)]
struct Answer {
    asked_at: Timestamp,
    ended_at: Timestamp,
    looked: Option<Looked>,
}

pub(super) async fn check(
    client: &Client,
    patient: &Patient<'_>,
    found: &mut Findings,
) -> Result<(), Failure> {
    let machines: Vec<Machine> = client.get("/machines").await?;
    let mut rules: BTreeMap<&MachineName, Vec<&ServerRule>> = BTreeMap::new();
    for rule in &patient.entry.servers {
        rules.entry(&rule.machine).or_default().push(rule);
    }
    let mut known = Vec::new();
    for (name, rules) in rules {
        let place = format!("machine {name}");
        let mend = format!("run `poolshift agent enrol {name}`, and what it prints on the machine");
        match machines.iter().find(|one| one.machine == *name) {
            None => found.add("no-agent", place, "no agent was ever let in", mend),
            Some(Machine {
                stands_still: Some(why),
                ..
            }) => found.add(
                "machine-stands-still",
                place,
                format!("nothing is decided for it, and its agent is not let in: {why}"),
                "mend the log, as docs/runbook.md says of a target that stands still",
            ),
            Some(one) if one.revoked => {
                found.add(
                    "revoked-agent",
                    place,
                    "its agent's key counts no more",
                    mend,
                );
            }
            Some(one) => known.push((one, Wish::of(patient, &rules))),
        }
    }
    // All at once: a silent one is waited for.
    let asked = known.iter().map(|(machine, wish)| {
        let path = format!("/machines/{}/look", machine.machine);
        let client = client.clone();
        let at = wish.at.clone();
        tokio::spawn(async move { client.post::<Answer>(&path, None, &at).await })
    });
    let asked: Vec<_> = asked.collect();
    for ((machine, wish), answer) in known.into_iter().zip(asked) {
        let version = machine.agent_version.as_deref();
        if let Some(what) = version.and_then(|version| older::too_old(patient.entry, version)) {
            let place = format!("machine {}", machine.machine);
            found.add("old-agent", place, what, "install a newer agent there");
        }
        let answer = answer
            .await
            .map_err(|error| Failure::refused(error.to_string()))??;
        judge(machine, &wish, answer, found);
    }
    Ok(())
}

/// What is asked of one machine, and what it should be like.
struct Wish {
    at: LookAt,
    max_bytes: u64,
    /// Programs that a release may bring.
    of_release: BTreeSet<String>,
}

impl Wish {
    fn of(patient: &Patient<'_>, rules: &[&ServerRule]) -> Self {
        let entry = patient.entry;
        let mut folders = BTreeSet::new();
        let mut programs = BTreeSet::new();
        let mut of_release = BTreeSet::new();
        for rule in rules {
            let install = entry.install.on(&rule.name);
            let folder = &install.into;
            let in_release = entry.tests.iter().map(|suite| &suite.argv);
            let in_release = in_release.chain([&install.argv]).filter_map(|argv| {
                let program = argv.first()?;
                Some(within(&format!("{folder}/current"), program))
            });
            let own = entry.own_of(&rule.name);
            let own = own
                .iter()
                .flat_map(|(drain, restore)| [&drain.argv, &restore.argv]);
            let in_folder = [&install.stop, &install.restart].into_iter().chain(own);
            let in_folder = in_folder.filter_map(|argv| Some(within(folder, argv.first()?)));
            for program in in_release.chain(in_folder) {
                if program.starts_with(&format!("{folder}/current/")) {
                    of_release.insert(program.clone());
                }
                programs.insert(program);
            }
            folders.insert(install.into);
        }
        Self {
            at: LookAt {
                folders: folders.into_iter().take(LookAt::MOST).collect(),
                programs: programs.into_iter().take(LookAt::MOST).collect(),
                urls: url(entry, patient, rules).into_iter().collect(),
            },
            max_bytes: entry.artifact.max_bytes,
            of_release,
        }
    }
}

/// A program's path, where it is written as one that begins in the folder where it runs.
fn within(folder: &str, program: &str) -> String {
    let is_path = program.contains(['/', '\\']);
    let is_whole = program.starts_with(['/', '\\']) || program.get(1..2) == Some(":");
    if is_path && !is_whole {
        format!("{folder}/{}", program.trim_start_matches("./"))
    } else {
        program.to_owned()
    }
}

/// The artifact of what runs now: it should be where the service file says.
fn url(entry: &Entry, patient: &Patient<'_>, rules: &[&ServerRule]) -> Option<String> {
    let here = |name| rules.iter().any(|rule| rule.name == name);
    let mut servers = patient.view?.servers.iter();
    let proven = servers.find_map(|server| {
        let proven = server.proven.as_ref();
        proven.filter(|_| here(server.name.clone()))
    })?;
    Some(entry.artifact.url_of(&proven.version))
}

fn judge(machine: &Machine, wish: &Wish, answer: Answer, found: &mut Findings) {
    let place = format!("machine {}", machine.machine);
    let version = machine.agent_version.as_deref();
    let Some(looked) = answer.looked else {
        let is_old = version
            .and_then(numbers)
            .is_some_and(|known| known < LOOKS_SINCE);
        if is_old {
            found.skip(
                place,
                "unknown: its agent is too old to be asked; install a newer one",
            );
            return;
        }
        let last = machine
            .last_seen
            .map_or("not since the start of serve".to_owned(), |at| {
                at.to_string()
            });
        let what = format!("its agent does not answer (seen last: {last})");
        let mend = "start poolshift-agent there, and look at its log: can it reach the gateway?";
        found.add("silent-agent", place, what, mend);
        return;
    };
    let (ours, theirs) = (
        numbers(env!("CARGO_PKG_VERSION")),
        numbers(&looked.agent_version),
    );
    if let (Some(ours), Some(theirs)) = (ours, theirs)
        && (ours.0 != theirs.0 || ours.1.abs_diff(theirs.1) > 1)
    {
        let what = format!(
            "its agent is {}, we are {}",
            looked.agent_version,
            env!("CARGO_PKG_VERSION")
        );
        let mend = "install an agent of the same version, or of the one before";
        found.add("agent-version", &place, what, mend);
    }
    clock(&answer.asked_at, &answer.ended_at, &looked, &place, found);
    disk(wish, &looked, &place, found);
    programs(wish, &looked, &place, found);
    artifact(&looked, &place, found);
}

/// How far its clock is off at least: it answered between the two times.
fn clock(asked: &Timestamp, ended: &Timestamp, looked: &Looked, place: &str, found: &mut Findings) {
    let fast = looked.clock.ms_since(*ended);
    let slow = asked.ms_since(looked.clock);
    if fast.max(slow) > SKEW_MAX_MS {
        let way = if fast > slow { "ahead" } else { "behind" };
        let what = format!("its clock is {} ms {way}", fast.max(slow));
        let mend = "let it follow the same time servers as this machine (chrony, w32time)";
        found.add("clock", place, what, mend);
    }
}

fn disk(wish: &Wish, looked: &Looked, place: &str, found: &mut Findings) {
    for (at, seen) in looked.folders.iter().enumerate() {
        // The first is the agent's own, for what it downloads; in the others it is unpacked, too.
        let needed = wish.max_bytes.saturating_mul(if at == 0 { 1 } else { 2 });
        match seen.free_bytes {
            Some(free) if free < needed => found.add(
                "disk",
                place,
                format!(
                    "{} has {} left, and an artifact may need {}",
                    seen.folder,
                    size_text(free),
                    size_text(needed)
                ),
                "make room, or lower `max_size` in [artifact]",
            ),
            Some(_) => {}
            None => found.skip(
                place,
                format!("the room in {}: its agent cannot tell", seen.folder),
            ),
        }
    }
}

fn programs(wish: &Wish, looked: &Looked, place: &str, found: &mut Findings) {
    for seen in looked.programs.iter().filter(|seen| !seen.found) {
        let program = &seen.program;
        if wish.of_release.contains(program) {
            found.skip(
                place,
                format!("{program}: not in the release that runs; the next may bring it"),
            );
            continue;
        }
        let what = format!("there is no program `{program}`");
        let mend = "install it there, or mend the argument list in the service file that begins with it: \
                    the agent looks in its own PATH";
        found.add("program", place, what, mend);
    }
}

fn artifact(looked: &Looked, place: &str, found: &mut Findings) {
    for seen in &looked.urls {
        let host = reqwest::Url::parse(&seen.url).ok();
        let host = host
            .as_ref()
            .and_then(|url| Some((url.host_str()?, url.port())));
        let host = match host {
            Some((name, Some(port))) => format!("{name}:{port}"),
            Some((name, None)) => name.to_owned(),
            None => "HOST".to_owned(),
        };
        let why = seen.why.as_deref().unwrap_or("nobody says why");
        let (check, what, mend) = match seen.status {
            _ if seen.forbidden => (
                "artifact-host",
                format!("its agent would not fetch {}: {why}", seen.url),
                format!("allow {host} in the settings of that agent, or mend `url` in [artifact]"),
            ),
            // Some stores do not answer `HEAD`, but they are there.
            Some(200..=399 | 405 | 501) => continue,
            Some(status @ (401 | 403)) if seen.logged_in => (
                "artifact-login",
                format!("{} answers {status} to its agent's login", seen.url),
                format!("mend [hosts.\"{host}\"] in the settings of that agent"),
            ),
            Some(status @ (401 | 403)) => (
                "artifact-login",
                format!(
                    "{} answers {status}, and its agent has no login there",
                    seen.url
                ),
                format!(
                    "add [hosts.\"{host}\"] with bearer_file, or user and password_file, to the \
                     settings of that agent"
                ),
            ),
            Some(status) => unreached(format!("{} answers {status}", seen.url)),
            None => unreached(format!("{} does not answer: {why}", seen.url)),
        };
        found.add(check, place, what, mend);
    }
}

fn unreached(what: String) -> (&'static str, String, String) {
    let mend = "mend `url` in [artifact], or let the machine reach it: that is the artifact of what \
                runs now";
    ("artifact", what, mend.to_owned())
}
