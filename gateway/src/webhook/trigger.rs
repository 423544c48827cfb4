//! The body of a trigger, and what must be true of it beyond its types: pure.

use events::{
    Build, Change, Claim, Commit, Digest, EnvironmentName, RequestedArtifact, RequestedTests,
    ServiceName, Target, Timestamp, Version,
};
use serde::{Deserialize, Deserializer};

use crate::people::People;
use crate::problem::Problem;

/// The longest text of one field, in bytes.
const TEXT_BYTES_MAX: usize = 2048;

/// The most authors that are taken as claims.
const AUTHORS_MAX: usize = 50;

/// What the build server sends.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct Trigger {
    pub(crate) service: ServiceName,
    pub(crate) environment: EnvironmentName,
    pub(crate) version: Version,
    pub(crate) artifact: ArtifactSaid,
    /// The package that its suites are run from.
    pub(crate) tests: Option<TestsSaid>,
    pub(crate) build: Build,
    /// Who started the build; nobody: then a rollout needs one approval more.
    pub(crate) requester: Option<String>,
    pub(crate) commit: Option<CommitSaid>,
    pub(crate) change: Option<ChangeSaid>,
}

/// The artifact: its digest in the contract's form, or as bare hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct ArtifactSaid {
    pub(crate) url: Option<String>,
    #[serde(deserialize_with = "digest")]
    pub(crate) sha256: Digest,
}

/// A package of test suites. It is never looked up in the catalogue, so its URL comes with it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct TestsSaid {
    pub(crate) url: String,
    #[serde(deserialize_with = "digest")]
    pub(crate) sha256: Digest,
}

/// The commit, and who wrote it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct CommitSaid {
    pub(crate) repo: String,
    pub(crate) sha: String,
    pub(crate) committed_at: Option<Timestamp>,
    #[serde(default)]
    pub(crate) authors: Vec<String>,
}

/// The change.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct ChangeSaid {
    pub(crate) ticket: Option<String>,
    pub(crate) reason: Option<String>,
}

/// Reads a digest with or without its `sha256:`.
pub(crate) fn digest<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Digest, D::Error> {
    let text = String::deserialize(deserializer)?;
    let bare = text.len() == 64 && !text.contains(':');
    let full = if bare { format!("sha256:{text}") } else { text };
    full.parse().map_err(serde::de::Error::custom)
}

impl Trigger {
    /// Where it goes.
    pub(crate) fn target(&self) -> Target {
        Target::new(&self.environment, &self.service)
    }

    /// What its types cannot say.
    pub(crate) fn check(&self) -> Result<(), Problem> {
        if let Some(tests) = &self.tests {
            check_url("tests.url", &tests.url)?;
        }
        if let Some(url) = &self.artifact.url {
            check_url("artifact.url", url)?;
        }
        let build = &self.build;
        check_text("build.controller", &build.controller)?;
        check_text("build.job", &build.job)?;
        check_some("build.url", build.url.as_deref())?;
        check_some("requester", self.requester.as_deref())?;
        if let Some(commit) = &self.commit {
            check_text("commit.repo", &commit.repo)?;
            check_text("commit.sha", &commit.sha)?;
            for author in &commit.authors {
                check_text("commit.authors", author)?;
            }
            if commit.authors.len() > AUTHORS_MAX {
                return Err(Problem::wrong_field(
                    "commit.authors",
                    format!("{} authors", commit.authors.len()),
                    &format!("name at most {AUTHORS_MAX}"),
                ));
            }
        }
        if let Some(change) = &self.change {
            check_some("change.ticket", change.ticket.as_deref())?;
            check_some("change.reason", change.reason.as_deref())?;
        }
        Ok(())
    }

    /// The key of a delivery that names none: what the sender cannot help repeating.
    pub(crate) fn key(&self) -> String {
        let build = &self.build;
        let number = build.number.to_string();
        let url = build.url.as_ref().unwrap_or(&number);
        format!(
            "{}\n{}\n{url}\n{}\n{}",
            build.controller, build.job, self.version, self.artifact.sha256
        )
    }

    /// Who is said to be behind it: the requester and the commit's authors, each once.
    pub(crate) fn claims(&self, people: &People) -> Vec<Claim> {
        let authors = self.commit.iter().flat_map(|commit| &commit.authors);
        people.claims(self.requester.iter().chain(authors).map(String::as_str))
    }

    /// The artifact as it is asked for.
    pub(crate) fn artifact(&self) -> RequestedArtifact {
        RequestedArtifact {
            url: self.artifact.url.clone(),
            sha256: self.artifact.sha256,
        }
    }

    /// The package of tests as it is asked for.
    pub(crate) fn tests(&self) -> Option<RequestedTests> {
        self.tests.as_ref().map(|tests| RequestedTests {
            url: tests.url.clone(),
            sha256: tests.sha256,
        })
    }

    /// The commit without its authors, whose names never stand in the log.
    pub(crate) fn commit(&self) -> Option<Commit> {
        self.commit.as_ref().map(|commit| Commit {
            repo: commit.repo.clone(),
            sha: commit.sha.clone(),
            committed_at: commit.committed_at,
        })
    }

    /// The change.
    pub(crate) fn change(&self) -> Option<Change> {
        self.change.as_ref().map(|change| Change {
            ticket: change.ticket.clone(),
            reason: change.reason.clone(),
        })
    }
}

/// A URL that stands in the log for ever must hold no secret.
pub(crate) fn check_url(field: &str, url: &str) -> Result<(), Problem> {
    check_text(field, url)?;
    let rest = url
        .strip_prefix("https://")
        .or_else(|| url.strip_prefix("http://"));
    let host = rest.and_then(|rest| rest.split('/').next()).unwrap_or("");
    let wrong = |detail: &str, mend: &str| Err(Problem::wrong_field(field, detail, mend));
    if host.is_empty() || url.contains(char::is_whitespace) {
        wrong("not an http or https URL", "write https://host/path")
    } else if host.contains('@') {
        wrong(
            "it holds a user or password, and would stand in the log for ever",
            "leave them out, and name the agents' credentials in the catalogue",
        )
    } else if url.contains(['?', '#']) {
        wrong(
            "it has a query or fragment, which may hold a secret and would stand in the log for ever",
            "use a URL without them, and name the agents' credentials in the catalogue",
        )
    } else {
        Ok(())
    }
}

fn check_some(field: &str, text: Option<&str>) -> Result<(), Problem> {
    text.map_or(Ok(()), |text| check_text(field, text))
}

pub(crate) fn check_text(field: &str, text: &str) -> Result<(), Problem> {
    if text.trim().is_empty() {
        let mend = format!("fill `{field}` in, or leave it out where it may be");
        return Err(Problem::wrong_field(field, "it is empty", &mend));
    }
    if text.len() > TEXT_BYTES_MAX {
        let mend = format!("use at most {TEXT_BYTES_MAX} bytes");
        let detail = format!("it has {} bytes", text.len());
        return Err(Problem::wrong_field(field, detail, &mend));
    }
    Ok(())
}
