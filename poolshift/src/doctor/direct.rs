//! A target that no load balancer is in front of: its servers' own health, asked as a rollout asks.

use events::{Balancer, Release};
use health_checker::ask_once;
use rollout::catalogue::ServerRule;
use rollout::direct_check;

use crate::doctor::{Findings, Patient};

pub(super) async fn check(patient: &Patient<'_>, found: &mut Findings) {
    let Some(view) = patient.view.filter(|_| patient.entry.balancers.is_empty()) else {
        return;
    };
    for rule in &patient.entry.servers {
        let place = format!("server {}", rule.name);
        let Some(server) = view.servers.iter().find(|one| one.name == rule.name) else {
            continue;
        };
        match &server.proven {
            _ if server.out.is_some() || server.unproven => {
                found.skip(place, "it is out: `poolshift status` says why");
            }
            None => found.skip(
                place,
                "its health: nobody knows which version should answer",
            ),
            Some(proven) => health(patient, rule, proven, place, found).await,
        }
    }
}

async fn health(
    patient: &Patient<'_>,
    rule: &ServerRule,
    proven: &Release,
    place: String,
    found: &mut Findings,
) {
    let check = direct_check(patient.entry, rule, proven);
    let itself = check.direct.iter().filter_map(|testers| {
        Some(Balancer {
            name: rule.name.as_str().parse().ok()?,
            testers: testers.clone(),
        })
    });
    let doors: Vec<Balancer> = itself.collect();
    match ask_once(&check, &doors).await {
        Ok(None) => {}
        Ok(Some(failure)) => found.add(
            "health",
            place,
            format!("its check fails: {}", failure.detail),
            format!(
                "bring the service at {} back, let this machine reach it, or mend [check] in the \
                 service file: a rollout counts on it being well",
                rule.address
            ),
        ),
        Err(error) => found.skip(place, format!("its health: {error:#}")),
    }
}
