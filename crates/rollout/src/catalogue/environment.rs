//! `[environments.NAME]`: where the service runs.

use std::collections::BTreeMap;

use events::Balancer;

use super::defaults::{APPROVALS_COUNT, APPROVALS_EXPIRE_MS, LOW_TRUST, PROBE_SUFFIX};
use super::entry::{Approvals, GateRules, LowTrust, OwnRule, ServerRule};
use super::forms;
use super::gates::gates;
use super::net;
use super::own;
use super::page::shown;
use super::section::Section;
use super::servers::{Taken, servers};
use super::value::{Least, Value};

/// One environment of a service.
#[derive(Debug)]
pub(super) struct Environment {
    pub(super) balancers: Vec<Balancer>,
    pub(super) online: String,
    pub(super) maintenance: String,
    pub(super) probe: String,
    pub(super) own: Option<OwnRule>,
    pub(super) approvals: Option<Approvals>,
    pub(super) low_trust: LowTrust,
    pub(super) gates: GateRules,
    /// Where `requires` stands.
    pub(super) requires_at: usize,
    pub(super) servers: Vec<ServerRule>,
}

/// Reads one; `taken` is what the environments before it have.
pub(super) fn environment(section: &Section<'_>, taken: &mut Taken<'_>) -> Option<Environment> {
    let balancers = section
        .need("balancers")
        .and_then(|value| balancers(&value));
    let has_none = balancers.as_ref().is_some_and(Vec::is_empty);
    let backends = if has_none {
        without_backends(section)
    } else {
        backends(section)
    };
    let own = own::own(section, has_none);
    let approvals = section.maybe("approvals").map(|value| approvals(&value));
    let low_trust = section.choice(
        "low_trust",
        LOW_TRUST,
        &[("approve", LowTrust::Approve), ("allow", LowTrust::Allow)],
    );
    let voters = approvals.as_ref().and_then(Option::as_ref);
    let gates = gates(section, voters.map_or(&[], |approvals| &approvals.from));
    let servers = section
        .need("servers")
        .and_then(|value| servers(&value, section, taken));
    let (online, maintenance, probe) = backends?;
    Some(Environment {
        balancers: balancers?,
        online,
        maintenance,
        probe,
        own: own?,
        approvals: match approvals {
            Some(approvals) => Some(approvals?),
            None => None,
        },
        low_trust,
        gates: gates?,
        requires_at: section
            .maybe("requires")
            .map_or(section.at, |value| value.at),
        servers: servers?,
    })
}

fn balancers(value: &Value<'_>) -> Option<Vec<Balancer>> {
    let items = value.list()?;
    let mut names = BTreeMap::new();
    let mut doors = BTreeMap::new();
    let read = |item: &Value<'_>| balancer(item, &mut names, &mut doors);
    let balancers: Vec<Option<Balancer>> = items.iter().map(read).collect();
    balancers.into_iter().collect()
}

fn balancer(
    item: &Value<'_>,
    names: &mut BTreeMap<String, String>,
    doors: &mut BTreeMap<String, String>,
) -> Option<Balancer> {
    let section = item.section(&forms::BALANCER)?;
    let name_value = section.need("name");
    let name = name_value.and_then(|value| value.name());
    let testers_value = section.need("testers");
    let testers = testers_value.and_then(|value| testers(&value));
    let balancer = Balancer {
        name: name?,
        testers: testers?,
    };
    let shown_name = balancer.name.as_str();
    let earlier = names.insert(shown_name.to_ascii_lowercase(), shown_name.to_owned());
    if let (Some(value), Some(earlier)) = (name_value, earlier) {
        value.refuse(
            format!("balancer `{shown_name}` is there already, as `{earlier}`"),
            "remove one, or give each a name of its own (capitals make no difference)",
        );
    }
    let door = balancer.testers.to_ascii_lowercase();
    if let (Some(value), Some(earlier)) = (testers_value, doors.insert(door, shown_name.to_owned()))
    {
        value.refuse(
            format!("`testers` is that of balancer `{earlier}`"),
            format!("write where testers reach the maintenance pool of `{shown_name}`"),
        );
    }
    Some(balancer)
}

fn testers(value: &Value<'_>) -> Option<String> {
    let url = net::url(value)?;
    if url.rest.is_empty() {
        return Some(url.text.to_owned());
    }
    let base = url.text.strip_suffix(url.rest).unwrap_or(url.text);
    value.refuse(
        "`testers` has more than scheme, host and port",
        format!("write \"{base}\""),
    );
    None
}

fn backends(section: &Section<'_>) -> Option<(String, String, String)> {
    let online = section.need("online").and_then(backend_and_place);
    let maintenance = section.need("maintenance").and_then(backend_and_place);
    let probe = section.maybe("probe").map(backend_and_place);
    let (online, online_value) = online?;
    let (maintenance, maintenance_value) = maintenance?;
    let (probe, probe_value) = match probe {
        Some(probe) => probe?,
        None => (format!("{online}{PROBE_SUFFIX}"), online_value),
    };
    if maintenance == online {
        maintenance_value.refuse(
            "`maintenance` and `online` are the same backend",
            format!("write another one, such as \"{online}_maintenance\""),
        );
    }
    if probe == online || probe == maintenance {
        let later = if probe_value.at == online_value.at {
            maintenance_value
        } else {
            probe_value
        };
        later.refuse(
            format!("`{probe}` is the backend of the health checks and of a pool"),
            "write three different backends: `online` and `maintenance` both track `probe`",
        );
    }
    Some((online, maintenance, probe))
}

/// Where no load balancer is in front, there are no pools.
fn without_backends(section: &Section<'_>) -> Option<(String, String, String)> {
    for name in ["online", "maintenance", "probe"] {
        if let Some(value) = section.maybe(name) {
            value.refuse(
                format!("`{name}` is a backend of HAProxy, and `balancers = []`"),
                "remove it, or name the load balancers in front",
            );
            return None;
        }
    }
    Some((String::new(), String::new(), String::new()))
}

fn backend_and_place(value: Value<'_>) -> Option<(String, Value<'_>)> {
    backend(&value).map(|name| (name, value))
}

/// The name of an HAProxy proxy: letters, digits and `-_.:` (HAProxy's configuration manual,
/// section 4).
fn backend(value: &Value<'_>) -> Option<String> {
    let text = value.text()?;
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:".contains(&byte);
    if text.bytes().all(allowed) {
        return Some(text.to_owned());
    }
    value.refuse(
        format!("`{}` cannot be the name of an HAProxy backend", shown(text)),
        "use only A-Z, a-z, 0-9, -, _, . and :",
    );
    None
}

fn approvals(value: &Value<'_>) -> Option<Approvals> {
    let section = value.section(&forms::APPROVALS)?;
    let count = section.whole("count", APPROVALS_COUNT, (1, 20));
    let from = section.need("from").and_then(|value| {
        let roles = value.roles()?;
        if roles.is_empty() {
            value.refuse(
                "`from` names no role: nobody could approve",
                "write at least one role",
            );
            return None;
        }
        Some(roles)
    });
    let expire_ms = section.duration_ms("expire", APPROVALS_EXPIRE_MS, Least::Deadline);
    Some(Approvals {
        count,
        from: from?,
        expire_ms,
    })
}
