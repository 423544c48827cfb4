//! `poolshift adopt`.

use anyhow::Context as _;
use events::{Digest, ServerName, Target, Version};
use serde::Serialize;

use crate::api::{self, SEEN_WITHIN, Written};
use crate::client::Client;
use crate::failure::Failure;
use crate::said::Said;

/// Which server, or all of them; and what runs there.
#[derive(Debug)]
pub(crate) struct Who {
    server: Option<ServerName>,
    version: Version,
}

#[derive(Serialize)]
struct Runs<'a> {
    version: &'a Version,
    sha256: Digest,
    person: Option<&'a str>,
}

#[derive(Serialize)]
struct Adopted {
    server: ServerName,
    version: Version,
    sha256: Digest,
    changed: bool,
}

/// What the words of the command line mean.
pub(crate) fn who(what: Vec<String>, all: bool) -> anyhow::Result<Who> {
    let mut words = what.into_iter();
    let (server, version) = match (all, words.next(), words.next()) {
        (true, Some(version), None) => (None, version),
        (false, Some(server), Some(version)) => (Some(server.parse()?), version),
        (true, ..) => {
            return Err(
                Failure::new(crate::exit::WRONG_USE, "--all and a server were named")
                    .mend("adopt TARGET --all VERSION, or adopt TARGET SERVER VERSION")
                    .into(),
            );
        }
        (false, ..) => {
            return Err(
                Failure::new(crate::exit::WRONG_USE, "the version is missing")
                    .mend("adopt TARGET SERVER VERSION, or adopt TARGET --all VERSION")
                    .into(),
            );
        }
    };
    let version = version.parse().context("wrong version")?;
    Ok(Who { server, version })
}

/// Records what runs, server by server.
pub(crate) async fn run(
    client: &Client,
    target: &Target,
    who: Who,
    sha256: Digest,
    person: Option<String>,
    json: bool,
) -> anyhow::Result<Said> {
    let now = api::target(client, target).await?;
    let servers = match who.server {
        Some(server) => vec![server],
        None => now
            .servers
            .iter()
            .map(|server| server.name.clone())
            .collect(),
    };
    let runs = Runs {
        version: &who.version,
        sha256,
        person: person.as_deref(),
    };
    let mut all = Vec::new();
    for server in servers {
        let known = now.servers.iter().find(|known| known.name == server);
        let release = known.and_then(|known| known.proven.as_ref().filter(|_| !known.unproven));
        let changed = !release
            .is_some_and(|release| release.version == who.version && release.sha256 == sha256);
        if changed {
            let path = format!("{}/servers/{server}/adopt", api::target_path(target));
            let written: Written = client.post(&path, None, &runs).await?;
            let seen =
                api::effect(client, target, now.as_of.n, written.report, SEEN_WITHIN).await?;
            if seen.is_none() {
                return Err(api::nothing_changed(&server.to_string(), written.report).into());
            }
        }
        all.push(Adopted {
            server,
            version: who.version.clone(),
            sha256,
            changed,
        });
    }
    Said::either(json, &all, || {
        let line = |adopted: &Adopted| {
            let how = if adopted.changed {
                "runs"
            } else {
                "was known to run"
            };
            format!("{} {how} {}", adopted.server, adopted.version)
        };
        all.iter().map(line).collect::<Vec<_>>().join("\n")
    })
}
