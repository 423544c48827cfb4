//! `[jenkins]` and `[artifact]`: who builds, and where builds lie.

use super::defaults::{ARTIFACT_MAX_BYTES, FETCH_TIMEOUT_MS};
use super::entry::{ArtifactRule, Jenkins};
use super::net;
use super::page::shown;
use super::section::Section;
use super::value::{Least, Value};

/// `[jenkins]`.
pub(super) fn jenkins(section: &Section<'_>) -> Option<Jenkins> {
    let parameter = |name| {
        section
            .maybe(name)
            .and_then(|value| value.text())
            .map(str::to_owned)
    };
    let job = section.need("job").and_then(|value| net::url(&value));
    let version_parameter = parameter("version_parameter");
    let sha256_parameter = parameter("sha256_parameter");
    let environment_parameter = parameter("environment_parameter");
    if let (Some(value), Some(_)) = (section.maybe("environment"), &environment_parameter) {
        value.refuse(
            "`environment` and `environment_parameter` both say where builds go",
            "remove one of the two",
        );
    }
    Some(Jenkins {
        job: job?.text.to_owned(),
        version_parameter,
        sha256_parameter,
        environment: parameter("environment"),
        environment_parameter,
    })
}

/// `[artifact]`.
pub(super) fn artifact(section: &Section<'_>) -> Option<ArtifactRule> {
    let url = section.need("url").and_then(|value| artifact_url(&value));
    let max_bytes = section.maybe("max_size").and_then(|value| value.bytes());
    let timeout_ms = section.duration_ms("timeout", FETCH_TIMEOUT_MS, Least::Deadline);
    Some(ArtifactRule {
        url: url?,
        max_bytes: max_bytes.unwrap_or(ARTIFACT_MAX_BYTES),
        timeout_ms,
    })
}

fn artifact_url(value: &Value<'_>) -> Option<String> {
    let filled = value.as_text()?.replace("{version}", "1.0");
    if let Some(start) = filled.find('{') {
        let rest = filled.get(start..).unwrap_or_default();
        let hole = rest
            .find('}')
            .and_then(|end| rest.get(..=end))
            .unwrap_or(rest);
        value.refuse(
            format!("nothing fills in `{}` in `url`", shown(hole)),
            "write {version}: it is the only word that is filled in",
        );
        return None;
    }
    let url = net::url(value)?;
    if url.host.contains("{version}") {
        value.refuse(
            "the version would choose the host",
            "put {version} into the path",
        );
        return None;
    }
    if url.rest.contains(['?', '#']) {
        value.refuse(
            "`url` has a query or a fragment, where tokens tend to stand",
            "remove it: no secret belongs in the catalogue; give each agent the credentials of this \
             host in its own settings",
        );
        return None;
    }
    if !url.rest.contains("{version}") {
        value.refuse(
            "`url` has no {version}: every version would be the same artifact",
            format!("put {{version}} into the path, such as {}", value.example()),
        );
        return None;
    }
    Some(url.text.to_owned())
}
