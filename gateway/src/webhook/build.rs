//! What the Notification plugin says of a build, and what it asks for: pure. The fields are those
//! of the plugin's `JobState` and `BuildState` (jenkinsci/notification-plugin 720ea44): whatever is
//! null is left out, and old releases send neither `full_url` nor the phases of today.

use std::collections::BTreeMap;

use events::{
    Actor, ActorKind, Build, Commit, RequestRollout, RequestedArtifact, RolloutId, Trust,
};
use serde::Deserialize;
use serde_json::Value;

use crate::body;
use crate::people::People;
use crate::problem::Problem;
use crate::webhook::asked::Asked;
use crate::webhook::foreign::{Door, recognise};
use crate::webhook::known::Known;
use crate::webhook::mapped::{artifact_of, target_of};
use crate::webhook::place::Place;
use crate::webhook::trigger::check_text;

/// Through which door: part of a rollout's id.
pub(super) const SENDER: &str = "jenkins-notification";

/// A build is over in each of these, so all of them ask for the same rollout. `FINISHED` is that of
/// old releases.
const PHASES: [&str; 3] = ["COMPLETED", "FINALIZED", "FINISHED"];

/// The most authors that are taken as claims.
const CULPRITS_MAX: usize = 50;

/// A notification.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Notification {
    /// Relative to the controller.
    pub(super) url: Option<String>,
    pub(super) build: BuildSaid,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct BuildSaid {
    /// Only where Jenkins knows its own root URL.
    pub(super) full_url: Option<String>,
    pub(super) number: Option<u64>,
    /// Relative to the controller.
    pub(super) url: Option<String>,
    pub(super) phase: Option<String>,
    /// Absent while the build runs.
    pub(super) status: Option<String>,
    pub(super) scm: Option<Scm>,
    /// Those of a secret kind are left out by the plugin.
    pub(super) parameters: Option<BTreeMap<String, Value>>,
}

#[derive(Debug, Clone, Deserialize)]
pub(super) struct Scm {
    url: Option<String>,
    commit: Option<String>,
    culprits: Option<Vec<Value>>,
}

/// What a notification comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Heard {
    /// Nothing, and why.
    Ignored(String),
    /// A rollout.
    Asked(Box<Asked>),
}

/// What a notification comes to.
pub(crate) fn hear(
    bytes: &[u8],
    content_type: Option<&str>,
    known: &[Known],
    people: &People,
) -> Result<Heard, Problem> {
    // By its body first: the plugin's XML comes as application/xml, but so could anything.
    if let Some(problem) = recognise(Door::Notification, bytes) {
        return Err(problem);
    }
    if content_type.is_some_and(|kind| kind.to_ascii_lowercase().contains("xml")) {
        return Err(crate::webhook::foreign::xml(Door::Notification));
    }
    let said: Notification = body::parse(bytes)?;
    match ignored(&said.build)? {
        Some(why) => Ok(Heard::Ignored(why)),
        None => asked(&said, known, people).map(|asked| Heard::Asked(Box::new(asked))),
    }
}

/// Why a build asks for nothing, if it does not.
fn ignored(build: &BuildSaid) -> Result<Option<String>, Problem> {
    let Some(phase) = &build.phase else {
        return Err(Problem::wrong_field(
            "build.phase",
            "`build.phase` is missing, as in no release of the Notification plugin",
            "let the Notification plugin send it, or use the HTTP Request step (docs/jenkins.md)",
        ));
    };
    let phase: String = phase.chars().take(32).collect();
    if !PHASES.contains(&phase.as_str()) {
        return Ok(Some(format!(
            "phase {phase} asks for nothing; {} do",
            PHASES.join(", ")
        )));
    }
    let Some(status) = &build.status else {
        return Ok(Some(
            "it has no status; SUCCESS asks for a rollout".to_owned(),
        ));
    };
    let status: String = status.chars().take(32).collect();
    let ignored = status != "SUCCESS";
    Ok(ignored.then(|| format!("status {status} asks for nothing; SUCCESS does")))
}

fn asked(said: &Notification, known: &[Known], people: &People) -> Result<Asked, Problem> {
    let place = Place::of(said, known)?;
    let parameters = said.build.parameters.as_ref();
    let (target, jenkins) = target_of(&place, known, parameters)?;
    let (version, sha256) = artifact_of(&target, jenkins, parameters)?;
    let Place {
        controller,
        job,
        url,
        number,
    } = place;
    let key = format!("{controller}\n{job}\n{url}\n{version}\n{sha256}");
    check_text("build.full_url", &key)?;
    let rollout = RolloutId::of(&target, SENDER, &key);
    let actor = Actor {
        kind: ActorKind::Job,
        id: job.clone(),
    };
    let scm = said.build.scm.as_ref();
    let request = RequestRollout {
        rollout,
        key,
        sender: SENDER.to_owned(),
        version,
        artifact: RequestedArtifact { url: None, sha256 },
        tests: None,
        requested_by: actor.clone(),
        proven: false,
        claims: people.claims(culprits(scm).iter().map(String::as_str)),
        commit: scm.and_then(commit),
        change: None,
        build: Some(Build {
            controller,
            job,
            number,
            url: Some(url),
        }),
        trust: Trust::Low,
    };
    Ok(Asked {
        target,
        request,
        actor,
    })
}

/// Who changed something since the last good build; the plugin knows it of freestyle jobs only.
fn culprits(scm: Option<&Scm>) -> Vec<String> {
    let all = scm.and_then(|scm| scm.culprits.as_ref());
    let names = all.into_iter().flatten().filter_map(Value::as_str);
    names
        .filter(|name| check_text("culprit", name).is_ok())
        .take(CULPRITS_MAX)
        .map(str::to_owned)
        .collect()
}

/// The commit, with an address that may stand in the log for ever.
fn commit(scm: &Scm) -> Option<Commit> {
    let (repo, sha) = (scm.url.as_deref()?, scm.commit.as_deref()?);
    let repo = repo.split(['?', '#']).next().unwrap_or_default();
    let repo = match repo.split_once("://") {
        Some((scheme, rest)) => {
            let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
            let host = host.rsplit('@').next().unwrap_or_default();
            format!("{scheme}://{host}/{path}")
        }
        None => repo.to_owned(),
    };
    let good = check_text("repo", &repo).is_ok() && check_text("commit", sha).is_ok();
    good.then(|| Commit {
        repo,
        sha: sha.to_owned(),
        committed_at: None,
    })
}
