//! What the catalogue makes of a build that names neither service nor environment: its job says
//! which service, two of its parameters say which version with which digest.

use std::collections::{BTreeMap, BTreeSet};

use actix_web::http::StatusCode;
use events::{Digest, Target, Version};
use serde_json::Value;
use view::JenkinsView;

use crate::problem::Problem;
use crate::webhook::job;
use crate::webhook::known::Known;
use crate::webhook::place::Place;

type Parameters<'a> = Option<&'a BTreeMap<String, Value>>;

/// Which target a build asks for, and what its catalogue entry says of the job.
pub(super) fn target_of<'a>(
    place: &Place,
    known: &'a [Known],
    parameters: Parameters<'_>,
) -> Result<(Target, &'a JenkinsView), Problem> {
    let mapped: Vec<(&Target, &JenkinsView)> = known
        .iter()
        .filter_map(|known| Some((&known.target, known.jenkins.as_ref()?)))
        .filter(|(_, jenkins)| job::is(&jenkins.job, &place.job, None))
        .collect();
    let services: BTreeSet<&str> = mapped.iter().map(|(target, _)| target.service()).collect();
    let (Some((first, jenkins)), true) = (mapped.first(), services.len() == 1) else {
        return Err(unmapped(place, known, &services));
    };
    let wanted = match (&jenkins.environment, &jenkins.environment_parameter) {
        (Some(environment), _) => environment.clone(),
        (None, Some(name)) => parameter(parameters, name).ok_or_else(|| {
            lacks(
                "no-environment",
                first.service(),
                name,
                "the environment's name",
            )
        })?,
        (None, None) if mapped.len() == 1 => first.environment().to_owned(),
        (None, None) => return Err(several(&mapped)),
    };
    let found = mapped
        .iter()
        .find(|(target, _)| target.environment() == wanted);
    match found {
        Some((target, jenkins)) => Ok(((*target).clone(), jenkins)),
        None => Err(Problem::not_found(
            "unknown-target",
            format!("`{}` has no environment `{wanted}`", first.service()),
        )
        .mend("name one of its environments")
        .known(mapped.iter().map(|(target, _)| target.to_string()))),
    }
}

/// The version and the digest that a build's parameters name.
pub(super) fn artifact_of(
    target: &Target,
    jenkins: &JenkinsView,
    parameters: Parameters<'_>,
) -> Result<(Version, Digest), Problem> {
    let service = target.service();
    let (Some(version), Some(sha256)) = (&jenkins.version_parameter, &jenkins.sha256_parameter)
    else {
        return Err(unnamed(service, jenkins));
    };
    let digest = parameter(parameters, sha256)
        .ok_or_else(|| lacks("no-sha256", service, sha256, "the artifact's sha256"))?;
    let number = parameter(parameters, version)
        .ok_or_else(|| lacks("no-version", service, version, "the version"))?;
    let field = |name: &str| format!("build.parameters.{name}");
    let number = number.parse().map_err(|error: events::NameError| {
        let mend = format!("fill `{version}` with the version");
        Problem::wrong_field(&field(version), error.to_string(), &mend)
    })?;
    let bare = digest.to_ascii_lowercase();
    let bare = bare.strip_prefix("sha256:").unwrap_or(&bare);
    let digest = format!("sha256:{bare}").parse().map_err(|_| {
        Problem::wrong_field(
            &field(sha256),
            "it is not a sha256",
            &format!("fill `{sha256}` with the 64 hexadecimal digits that `sha256sum` prints"),
        )
    })?;
    Ok((number, digest))
}

/// The plugin sends every value as a text; whatever else a plain value is, it has one.
fn parameter(parameters: Parameters<'_>, name: &str) -> Option<String> {
    let value = match parameters?.get(name)? {
        Value::String(text) => text.trim().to_owned(),
        Value::Number(number) => number.to_string(),
        Value::Bool(flag) => flag.to_string(),
        Value::Null | Value::Array(_) | Value::Object(_) => return None,
    };
    (!value.is_empty()).then_some(value)
}

fn refused(kind: &str, field: &str, detail: String, mend: &str) -> Problem {
    Problem::new(
        StatusCode::UNPROCESSABLE_ENTITY,
        kind,
        "the build says too little",
        detail,
    )
    .field(field)
    .mend(mend)
}

fn lacks(kind: &str, service: &str, name: &str, what: &str) -> Problem {
    refused(
        kind,
        &format!("build.parameters.{name}"),
        format!(
            "the build has no parameter `{name}`, which [jenkins] of `{service}` names for {what}"
        ),
        &format!(
            "add a string parameter `{name}` to the job, filled with {what}; or let the pipeline \
             ask with the HTTP Request step (docs/jenkins.md)"
        ),
    )
}

fn unnamed(service: &str, jenkins: &JenkinsView) -> Problem {
    let (kind, key, example) = if jenkins.sha256_parameter.is_none() {
        ("no-sha256", "sha256_parameter", "SHA256")
    } else {
        ("no-version", "version_parameter", "VERSION")
    };
    refused(
        kind,
        "build.parameters",
        format!(
            "[jenkins] of `{service}` does not say which build parameter holds it: `{key}` is missing"
        ),
        &format!(
            "add a string parameter `{example}` to the job, and {key} = \"{example}\" to [jenkins] \
             of the catalogue entry"
        ),
    )
}

fn several(mapped: &[(&Target, &JenkinsView)]) -> Problem {
    let known = mapped.iter().map(|(target, _)| target.to_string());
    refused(
        "no-environment",
        "build.parameters",
        "the service has several environments, and nothing says which one is meant".to_owned(),
        "add environment = \"NAME\", or environment_parameter = \"PARAMETER\", to [jenkins] of the \
         catalogue entry",
    )
    .known(known)
}

fn unmapped(place: &Place, known: &[Known], services: &BTreeSet<&str>) -> Problem {
    if services.len() > 1 {
        let services: Vec<&str> = services.iter().copied().collect();
        return refused(
            "several-services",
            "build.full_url",
            format!("{} is the job of {}", place.job, services.join(" and ")),
            "let its pipeline ask for each with the HTTP Request step (docs/jenkins.md)",
        );
    }
    let jobs = known.iter().filter_map(|known| known.jenkins.as_ref());
    let jobs: BTreeSet<String> = jobs.map(|jenkins| jenkins.job.clone()).collect();
    Problem::not_found(
        "unmapped-job",
        format!("no catalogue entry has {} as its [jenkins] job", place.job),
    )
    .field("build.full_url")
    .mend("add [jenkins] with this job's URL to the catalogue entry of the service that it builds")
    .known(jobs)
}
