//! Which build of which job a notification is about.

use std::collections::BTreeSet;

use actix_web::http::StatusCode;

use crate::problem::Problem;
use crate::webhook::build::Notification;
use crate::webhook::job::{canonical, controller};
use crate::webhook::known::Known;
use crate::webhook::trigger::check_url;

/// A build, by its address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    /// The root of its Jenkins.
    pub(super) controller: String,
    /// Its job's URL, with a slash at the end.
    pub(super) job: String,
    /// Its own URL, with a slash at the end.
    pub(super) url: String,
    /// Its number.
    pub(super) number: u64,
}

impl Place {
    /// From `build.full_url`; where Jenkins has not told the plugin its root, from the relative URL
    /// and the one Jenkins on which the catalogue has such a job.
    pub(super) fn of(said: &Notification, known: &[Known]) -> Result<Self, Problem> {
        let build = &said.build;
        let Some(number) = build.number else {
            return Err(missing("build.number"));
        };
        let url = match (&build.full_url, &build.url) {
            (Some(full), _) => {
                check_url("build.full_url", full).map_err(|_| no_page())?;
                canonical(full)
            }
            (None, Some(relative)) => {
                let relative = relative.trim_matches('/');
                let job = of_build("build.url", relative, number)?;
                let root = root_of(job, known)?;
                format!("{root}{relative}")
            }
            (None, None) => match &said.url {
                Some(job) => {
                    let job = job.trim_matches('/');
                    format!("{}{job}/{number}", root_of(job, known)?)
                }
                None => return Err(missing("build.full_url")),
            },
        };
        let job = of_build("build.full_url", &url, number)?.to_owned();
        Ok(Self {
            controller: controller(&job),
            job: format!("{job}/"),
            url: format!("{url}/"),
            number,
        })
    }
}

/// The job's part of a build's URL.
fn of_build<'a>(field: &str, url: &'a str, number: u64) -> Result<&'a str, Problem> {
    let parts = url.rsplit_once('/');
    match parts.filter(|(_, last)| *last == number.to_string()) {
        Some((job, _)) => Ok(job),
        None => Err(Problem::wrong_field(
            field,
            format!("it does not end with the build's number, {number}"),
            "let the Notification plugin send it as it does",
        )),
    }
}

/// The root of the one Jenkins on which the catalogue has a job of this path.
fn root_of(job: &str, known: &[Known]) -> Result<String, Problem> {
    let jobs = known.iter().filter_map(|known| known.jenkins.as_ref());
    let roots: BTreeSet<String> = jobs
        .filter(|jenkins| {
            let root = controller(&jenkins.job);
            canonical(&jenkins.job) == canonical(&format!("{root}{job}"))
        })
        .map(|jenkins| controller(&jenkins.job))
        .collect();
    let mend = "set the Jenkins URL in Jenkins (Manage Jenkins, System), so that the plugin sends \
                `build.full_url`";
    let problem = |kind: &str, detail: String| {
        Problem::new(
            StatusCode::NOT_FOUND,
            kind,
            "which job it is cannot be told",
            detail,
        )
        .field("build.full_url")
    };
    let mut roots = roots.into_iter();
    match (roots.next(), roots.next()) {
        (Some(root), None) => Ok(root),
        (Some(one), Some(other)) => Err(problem(
            "which-jenkins",
            format!("`{job}` is a job of {one} and of {other}, and the build has no full_url"),
        )
        .mend(mend)),
        (None, _) => Err(problem(
            "unmapped-job",
            format!("no catalogue entry has a [jenkins] job that ends with `{job}`"),
        )
        .mend(
            "add [jenkins] with this job's URL to the catalogue entry of the service that it builds",
        )),
    }
}

fn no_page() -> Problem {
    Problem::wrong_field(
        "build.full_url",
        "it is not the plain URL of a build, without user, query and fragment",
        "let the Notification plugin send it as it does",
    )
}

fn missing(field: &str) -> Problem {
    Problem::wrong_field(
        field,
        format!("`{field}` is missing"),
        "let the Notification plugin send it as it does, or use the HTTP Request step \
         (docs/jenkins.md)",
    )
}
