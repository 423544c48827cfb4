//! The testers' door, asked as a tester asks.

use std::time::Duration;

use events::Balancer;
use lb_controller::{ANSWERED_BY_HEADER, SERVER_HEADER};

use crate::doctor::{Findings, Patient};
use crate::haproxy::Running;

const WITHIN: Duration = Duration::from_secs(5);

pub(super) async fn check(
    patient: &Patient<'_>,
    balancer: &Balancer,
    running: &Running,
    place: &str,
    found: &mut Findings,
) {
    let entry = patient.entry;
    let Some(server) = entry.servers.first().map(|rule| rule.name.as_str()) else {
        return;
    };
    let answer = match ask(&balancer.testers, server).await {
        Ok(answer) => answer,
        Err(error) => {
            let what = format!("nobody answers testers at {}: {error}", balancer.testers);
            let mend = format!(
                "bind a frontend to it with `default_backend {}`, or mend `testers` in the service file",
                entry.maintenance
            );
            found.add("testers", place, what, mend);
            return;
        }
    };
    let by = answer.headers().get(ANSWERED_BY_HEADER);
    let by = by.and_then(|name| name.to_str().ok()).unwrap_or_default();
    let is_out = |name: &str| {
        running
            .status(&entry.maintenance, name)
            .starts_with("MAINT")
    };
    let none_is_in = entry.servers.iter().all(|rule| is_out(rule.name.as_str()));
    // With nobody in the pool only HAProxy itself can answer, and it says 503.
    if none_is_in && answer.status().as_u16() != 503 {
        found.add(
            "testers",
            place,
            format!(
                "{} answers {} {by}though no server is in `{}`",
                balancer.testers,
                answer.status().as_u16(),
                entry.maintenance
            ),
            format!(
                "let it lead to backend {} alone: else tests pass on servers that nobody touched",
                entry.maintenance
            ),
        );
    }
}

async fn ask(testers: &str, server: &str) -> Result<reqwest::Response, String> {
    let client = reqwest::Client::builder()
        .no_proxy()
        .timeout(WITHIN)
        .build();
    let client = client.map_err(|error| error.to_string())?;
    let sent = client
        .get(testers)
        .header(SERVER_HEADER, server)
        .send()
        .await;
    sent.map_err(|error| {
        let mut source: &dyn std::error::Error = &error;
        while let Some(inner) = source.source() {
            source = inner;
        }
        source.to_string()
    })
}
