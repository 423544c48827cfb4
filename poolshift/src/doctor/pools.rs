//! The three backends, as the running HAProxy has them.

use std::collections::BTreeSet;

use rollout::catalogue::Entry;
use view::TargetView;

use crate::doctor::{Findings, Patient};
use crate::haproxy::{Pool, Running, Server};

pub(super) fn check(patient: &Patient<'_>, running: &Running, place: &str, found: &mut Findings) {
    let entry = patient.entry;
    for name in [&entry.probe, &entry.online, &entry.maintenance] {
        let Some(pool) = running.pool(name) else {
            let mend = format!(
                "add it: `poolshift haproxy-config {}` prints it",
                entry.target
            );
            let what = format!("there is no backend `{name}` with servers");
            found.add("backend", place, what, mend);
            continue;
        };
        servers(entry, pool, running, place, found);
    }
    if let Some(online) = running.pool(&entry.online) {
        pinned(patient, online, place, found);
        floor(patient, online, running, place, found);
    }
}

fn servers(entry: &Entry, pool: &Pool, running: &Running, place: &str, found: &mut Findings) {
    let here = |server: &str| format!("`{}/{server}`", pool.name);
    for rule in &entry.servers {
        let name = rule.name.as_str();
        let Some(line) = pool.server(name) else {
            let what = format!("there is no {}", here(name));
            let mend = format!(
                "add `server {name} {}` to backend {}",
                rule.address, pool.name
            );
            found.add("server", place, what, mend);
            continue;
        };
        if let Ok(address) = &line.address
            && !address.eq_ignore_ascii_case(&rule.address)
            // HAProxy has looked a name up already.
            && is_ip(&rule.address)
        {
            found.add(
                "address",
                place,
                format!(
                    "{} is {address}, but {} in the service file",
                    here(name),
                    rule.address
                ),
                "write the same address in both: else another server is tested than installed",
            );
        }
        if pool.name != entry.probe {
            tracking(entry, line, &here(name), place, found);
        }
    }
    let known: BTreeSet<&str> = entry
        .servers
        .iter()
        .map(|rule| rule.name.as_str())
        .collect();
    for line in pool
        .servers
        .iter()
        .filter(|line| !known.contains(line.name.as_str()))
    {
        // One that is out for good is nobody's concern.
        if pool.name == entry.online && running.status(&pool.name, &line.name).starts_with("UP") {
            found.add(
                "unknown-server",
                place,
                format!("customers reach {}, which the service file does not know", here(&line.name)),
                "add it to `servers` of the service file, or remove the line: it would keep the old version",
            );
        }
    }
}

fn tracking(entry: &Entry, line: &Server, here: &str, place: &str, found: &mut Findings) {
    let wanted = (entry.probe.clone(), line.name.clone());
    if line.track.as_ref() == Some(&wanted) {
        return;
    }
    let how = match &line.track {
        Some((backend, server)) => format!("{here} tracks `{backend}/{server}`"),
        None => format!("{here} has checks of its own, or none"),
    };
    found.add(
        "track",
        place,
        how,
        format!(
            "write `track {}/{}` on its line, without `check`: else a server that comes back takes \
             requests before its check, or testers lose it with the customers",
            wanted.0, wanted.1
        ),
    );
}

fn pinned(patient: &Patient<'_>, online: &Pool, place: &str, found: &mut Findings) {
    if let Some(pins) = &online.pins
        && patient.entry.rollout.pinned_ms == 0
    {
        found.add(
            "pinned",
            place,
            format!("`{}` pins customers to servers ({pins}), and the service file has no `pinned`", online.name),
            "write drain = { pinned = \"10m\", timeout = \"12m\" } into [rollout]: how long they may still \
             come, before they are given another server",
        );
    }
}

/// Whether the first batch could be taken now. `UP 1/2`, as after a reload, will soon be UP.
fn floor(
    patient: &Patient<'_>,
    online: &Pool,
    running: &Running,
    place: &str,
    found: &mut Findings,
) {
    let entry = patient.entry;
    let total = u32::try_from(entry.servers.len()).unwrap_or(u32::MAX);
    let floor = entry.rollout.floor.floor_of(total);
    let status = |name: &str| running.status(&online.name, name).to_owned();
    let serves = |status: &str| status.starts_with("UP") || status == "no check";
    let names = entry.servers.iter().map(|rule| rule.name.as_str());
    let (up, down): (Vec<&str>, Vec<&str>) = names.partition(|name| serves(&status(name)));
    let count = u32::try_from(up.len()).unwrap_or(u32::MAX);
    if floor == 0 || count > floor {
        return;
    }
    let ours = patient.view.map_or_else(BTreeSet::new, taken_out);
    let (ours, down): (Vec<&str>, Vec<&str>) =
        down.into_iter().partition(|name| ours.contains(name));
    let back = u32::try_from(ours.len()).unwrap_or(u32::MAX);
    if count.saturating_add(back) > floor {
        let what = format!(
            "the rollout that runs has {} out of `{}`",
            ours.join(", "),
            online.name
        );
        found.note(place, what);
        return;
    }
    let out = down
        .iter()
        .map(|name| format!("{name} is {}", status(name)));
    let out: Vec<String> = out.collect();
    found.add(
        "floor",
        place,
        format!(
            "{count} of {total} servers are UP in `{}` and the floor is {floor}: none may be taken out ({})",
            online.name,
            out.join(", ")
        ),
        format!("bring back {}, or lower `floor` in [rollout]", down.join(", ")),
    );
}

/// The servers that the rollout which runs has out, or is taking out: they come back by themselves.
fn taken_out(view: &TargetView) -> BTreeSet<&str> {
    let Some(rollout) = view.rollout else {
        return BTreeSet::new();
    };
    let servers = view.servers.iter().filter(|server| {
        let is_kept_out = server
            .out
            .as_ref()
            .is_some_and(|out| out.rollout == rollout);
        is_kept_out || server.outstanding.is_some()
    });
    servers.map(|server| server.name.as_str()).collect()
}

/// Whether it needs nobody to look up its name.
pub(super) fn is_ip(address: &str) -> bool {
    address.parse::<std::net::SocketAddr>().is_ok()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const RUNNING: &str = "01a8f1a6-0000-7000-8000-000000000001";

    fn server(name: &str, out: Option<&str>, outstanding: Option<&str>) -> Value {
        json!({"name": name, "machine": "m", "address": "a:1", "pools": [], "proven": null,
            "unproven": false,
            "out": out.map(|rollout| json!({"kind": "held", "rollout": rollout, "why": "x"})),
            "outstanding": outstanding.map(|kind| json!({
                "command": format!("{RUNNING}/{name}/{kind}/1"), "kind": kind,
                "attempt": 1, "deadline_at": "2026-01-01T00:00:00.000Z", "started": true}))})
    }

    #[test]
    fn what_the_running_rollout_has_out_is_no_fault_but_what_another_left_is() {
        let servers = vec![
            server("web1", None, Some("drain")),
            server("web2", None, None),
            server("web3", Some(RUNNING), None),
            server("web4", Some("01a8f1a6-0000-7000-8000-000000000002"), None),
        ];
        let mut view = json!({"target": "production/shop", "as_of": {"n": 1, "at": "2026-01-01T00:00:00.000Z"},
            "owner": "o", "entry_sha256": format!("sha256:{}", "2".repeat(64)), "service": "shop",
            "environment": "production", "floor": 2, "servers": servers, "rollout": RUNNING,
            "queue": [], "waiting": [], "freezes": []});
        let read = |view: &Value| serde_json::from_value::<TargetView>(view.clone()).unwrap();
        assert_eq!(taken_out(&read(&view)), BTreeSet::from(["web1", "web3"]));
        view["rollout"] = Value::Null;
        assert!(taken_out(&read(&view)).is_empty());
    }
}
