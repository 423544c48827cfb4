//! What a watch reads: each balancer's counters, over a socket that can change nothing, and how long
//! each server itself takes to answer.

use events::{Balancer, ResponseTime};
use health_checker::{Reply, time_once};
use lb_controller::AdminSocket;
use rollout::response_time;

use crate::doctor::{Findings, Patient};
use crate::haproxy::Running;

pub(super) async fn check(patient: &Patient<'_>, found: &mut Findings) {
    let Some(watch) = &patient.entry.rollout.watch else {
        return;
    };
    for balancer in &patient.entry.balancers {
        counters(patient, balancer, found).await;
    }
    let servers = patient.view.iter().flat_map(|view| &view.servers);
    for server in servers.filter(|server| server.out.is_none() && !server.unproven) {
        let rules = &patient.entry.servers;
        let rule = rules.iter().find(|rule| rule.name == server.name);
        let rule = rule.and_then(|rule| response_time(patient.entry, watch, rule));
        if let Some(rule) = rule {
            answers(&rule, format!("server {}", server.name), found).await;
        }
    }
}

/// Whether it can be timed at all: one answer says nothing about how long they take.
async fn answers(rule: &ResponseTime, place: String, found: &mut Findings) {
    let (ResponseTime { server, path, .. }, status) = (rule, rule.status);
    match time_once(rule).await {
        Reply::Good(_) => {}
        Reply::Bad(why) | Reply::Unreached(why) => found.add(
            "no-response-time",
            place,
            format!("the service says `max_response`, and GET {server}{path} is not answered well: {why}"),
            format!(
                "let this machine reach the server at that address, over http, or name a path that is \
                 answered with {status} in `probe_path`"
            ),
        ),
    }
}

async fn counters(patient: &Patient<'_>, balancer: &Balancer, found: &mut Findings) {
    let name = &balancer.name;
    let place = format!("balancer {name}");
    let file = patient.settings.display();
    let Some(named) = patient.stats_sockets.get(name) else {
        let what = format!(
            "the service says `watch`, and no `stats_sockets` of {file} names this balancer: \
             nobody counts what customers get through it"
        );
        let mend = format!(
            "add {name} = \"/run/haproxy/stats.sock\" to [health_checker.stats_sockets], and {}",
            line("/run/haproxy/stats.sock")
        );
        found.add("no-stats-socket", place, what, mend);
        return;
    };
    let running = match Running::ask(&socket(named)).await {
        Ok(running) => running,
        Err(error) => {
            let mend = format!(
                "start HAProxy, let the user of `poolshift serve` use the socket, or {}",
                line(named)
            );
            found.add("stats-socket", place, format!("{error:#}"), mend);
            return;
        }
    };
    if running.level != "user" {
        let what = format!(
            "{named} has `level {}`: who only counts must not be able to drain",
            running.level
        );
        let mend = format!(
            "give the health-checker a socket of its own: {}",
            line(named)
        );
        found.add("stats-level", &place, what, mend);
    }
    if running.pool(&patient.entry.online).is_none() {
        let what = format!(
            "the HAProxy behind {named} has no backend `{}` with servers",
            patient.entry.online
        );
        let mend = format!("name the socket of {name} in [health_checker.stats_sockets]");
        found.add("stats-backend", place, what, mend);
    }
}

/// The health-checker writes `tcp:HOST:PORT`.
fn socket(named: &str) -> AdminSocket {
    match named.strip_prefix("tcp:") {
        Some(address) => AdminSocket::Tcp(address.to_owned()),
        None => AdminSocket::Unix(named.into()),
    }
}

/// What HAProxy needs for it.
fn line(named: &str) -> String {
    let at = named.strip_prefix("tcp:").map_or_else(
        || format!("{named} mode 660"),
        |address| format!("ipv4@{address}"),
    );
    format!("write `stats socket {at} level user` in `global` of HAProxy")
}
