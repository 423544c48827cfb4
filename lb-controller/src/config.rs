//! What HAProxy needs to know of a target, as text for its configuration.

use std::path::Path;

/// Request header that leads a tester to one server of the maintenance pool.
pub const SERVER_HEADER: &str = "x-poolshift-server";

/// Response header in which HAProxy names the server that it asked.
pub const ANSWERED_BY_HEADER: &str = "x-poolshift-answered-by";

/// The pools of one target on one HAProxy.
#[derive(Debug, Clone, Copy)]
pub struct HaproxyPools<'a> {
    /// `production/checkout`.
    pub target: &'a str,
    /// Backend that customers reach. The backend that owns the checks is named after it, with
    /// `_probe` at its end.
    pub online: &'a str,
    /// Backend that only testers reach.
    pub maintenance: &'a str,
    /// Address and port of the customers' door.
    pub customers: &'a str,
    /// Address and port of the testers' door; customers must not be able to reach it.
    pub testers: &'a str,
    /// Path that is asked to find out whether a server is UP; 200 is good.
    pub check_path: &'a str,
    /// From one check to the next, in milliseconds.
    pub check_every_ms: u64,
    /// Each server's name and address.
    pub servers: &'a [(String, String)],
    /// HAProxy's admin socket.
    pub admin_socket: &'a Path,
    /// HAProxy's socket for those who only read its counters.
    pub stats_socket: &'a Path,
    /// The file from which HAProxy takes the servers' states at its start.
    pub state_file: &'a Path,
}

/// The configuration of a target's pools: three backends, two doors, and the state file. Each section
/// says all it needs, so that it can be added to a configuration that is there already.
///
/// Tried on HAProxy 2.6.12: without the state file, a restart puts every server back online; with it,
/// no request went to one that was held out.
#[must_use]
pub fn haproxy_config(pools: &HaproxyPools<'_>) -> String {
    [
        hooks(pools),
        global(pools),
        doors(pools),
        online(pools),
        maintenance(pools),
        probe(pools),
    ]
    .join("\n")
}

/// A reload or stop between a change by hand and the next look of lb-controller must not lose it.
fn hooks(pools: &HaproxyPools<'_>) -> String {
    let socket = pools.admin_socket.display();
    let state = pools.state_file.display();
    let save = format!(
        "/bin/sh -c 'echo \"show servers state\" | socat - UNIX-CONNECT:{socket} > {state}.hook \
         && test -s {state}.hook && mv {state}.hook {state} || true'"
    );
    format!(
        "# {} on HAProxy 2.6 or later, by `poolshift haproxy-config`.
#
# Saves the servers' states at reload and stop too: put this into
# /etc/systemd/system/haproxy.service.d/poolshift.conf and run `systemctl daemon-reload`.
#
#   [Service]
#   ExecReload=
#   ExecReload={save}
#   ExecReload=/usr/sbin/haproxy -Ws -f $CONFIG -c -q $EXTRAOPTS
#   ExecReload=/bin/kill -USR2 $MAINPID
#   ExecStop={save}
",
        pools.target
    )
}

fn global(pools: &HaproxyPools<'_>) -> String {
    format!(
        "global
    # For lb-controller, which runs as the same user. Never over TCP: whoever reaches it owns the pools.
    stats socket {} mode 600 level admin expose-fd listeners
    # For health-checker, which reads counters. It can change nothing over this one.
    stats socket {} mode 660 level user
    server-state-file {}
",
        pools.admin_socket.display(),
        pools.stats_socket.display(),
        pools.state_file.display()
    )
}

fn doors(pools: &HaproxyPools<'_>) -> String {
    let HaproxyPools {
        online,
        maintenance,
        customers,
        testers,
        ..
    } = pools;
    let answered_by = format!("    http-response set-header {ANSWERED_BY_HEADER} %s");
    format!(
        "# The customers' door.
frontend {online}_customers
    mode http
    bind {customers}
    timeout client 60s
{answered_by}
    default_backend {online}

# The testers' door: every server that is out of the online pool.
frontend {online}_testers
    mode http
    bind {testers}
    timeout client 60s
{answered_by}
    default_backend {maintenance}
"
    )
}

fn online(pools: &HaproxyPools<'_>) -> String {
    let head = backend(pools.online, "What customers reach.");
    let lines = each(pools, |name, address| {
        format!("    server {name} {address} {}\n", track(pools, name))
    });
    format!("{head}{lines}")
}

fn maintenance(pools: &HaproxyPools<'_>) -> String {
    let head = backend(
        pools.maintenance,
        "What only testers reach; one server by its name. Where it is not out, another one answers:\n\
         # always look at who did.",
    );
    let ways = each(pools, |name, _| {
        format!("    use-server {name} if {{ req.hdr({SERVER_HEADER}) -m str {name} }}\n")
    });
    let lines = each(pools, |name, address| {
        let track = track(pools, name);
        format!("    server {name} {address} {track} disabled\n")
    });
    format!("{head}{ways}{lines}")
}

fn probe(pools: &HaproxyPools<'_>) -> String {
    let head = backend(
        &probe_name(pools),
        "Owns the checks: both pools follow it, so that a server that comes back takes no request\n\
         # before its check is good, and one that is out is still checked.",
    );
    let check = format!(
        "    timeout check 2s\n    option httpchk GET {}\n    http-check expect status 200\n",
        pools.check_path
    );
    let every_ms = pools.check_every_ms;
    let lines = each(pools, |name, address| {
        format!("    server {name} {address} check inter {every_ms}ms fall 2 rise 1\n")
    });
    format!("{head}{check}{lines}")
}

fn backend(name: &str, what: &str) -> String {
    format!(
        "# {what}
backend {name}
    mode http
    timeout connect 2s
    timeout server 60s
    timeout queue 10s
    option redispatch
    load-server-state-from-file global
"
    )
}

fn track(pools: &HaproxyPools<'_>, name: &str) -> String {
    format!("track {}/{name}", probe_name(pools))
}

fn probe_name(pools: &HaproxyPools<'_>) -> String {
    format!("{}_probe", pools.online)
}

fn each(pools: &HaproxyPools<'_>, line: impl Fn(&str, &str) -> String) -> String {
    pools
        .servers
        .iter()
        .map(|(name, address)| line(name, address))
        .collect()
}
