//! What can be wrong, one thing at a time.

mod stores;

use crate::plant::Plant;
use crate::plant::Plant::{Admin, AgentGone, Apply, Balancer, BalancerGone};
use crate::plant::Plant::{Impostor, Settings};
use crate::plant::Plant::{SocketGone, Unapplied};
use poolshift_tests::haproxy::ANSWERED_BY;
use poolshift_tests::ports;
use poolshift_tests::world::World;

/// A fault, and how it must be named.
pub(crate) struct Fault {
    /// The word of the check.
    pub(crate) check: &'static str,
    /// Where it must be found.
    pub(crate) place: &'static str,
    /// What the mend must speak of.
    pub(crate) mend: &'static str,
    /// Checks that it trips, too.
    pub(crate) also: &'static [&'static str],
    pub(crate) plant: Plant,
}

const fn fault(
    check: &'static str,
    place: &'static str,
    mend: &'static str,
    plant: Plant,
) -> Fault {
    Fault {
        check,
        place,
        mend,
        also: &[],
        plant,
    }
}

impl Fault {
    const fn also(mut self, also: &'static [&'static str]) -> Self {
        self.also = also;
        self
    }
}

fn edit(from: impl Into<String>, to: impl Into<String>) -> (String, String) {
    (from.into(), to.into())
}

/// A port on which nobody listens.
fn free_port() -> u16 {
    ports::free(1).unwrap()[0]
}

/// All of them, for this world.
pub(crate) fn all(world: &World) -> Vec<Fault> {
    let mut all = sockets(world);
    all.extend(state_files(world));
    all.extend(pools(world));
    all.extend(ways(world));
    all.extend(counters(world));
    all.extend(stores::all(world));
    all.extend(service_file(world));
    all.extend(agents());
    all
}

fn sockets(world: &World) -> Vec<Fault> {
    let stats = |more: &str| {
        let line = format!("    stats socket {more}\n    hard-stop-after");
        Balancer(vec![edit("    hard-stop-after", line)])
    };
    let open = free_port();
    let pem = world.root.join("stats.pem");
    let socket = world.stage.balancers[0].layout.admin_socket();
    let socket = format!("admin_socket = {socket:?}");
    let open_settings = edit(
        socket,
        format!("admin_socket = \"ipv4@0.0.0.0:{}\"", free_port()),
    );
    vec![
        fault("socket", "balancer lb1", "start HAProxy", SocketGone),
        fault("socket", "balancer lb2", "start HAProxy", BalancerGone).also(&["stats-socket"]),
        fault(
            "socket-level",
            "balancer lb1",
            "level admin",
            Balancer(vec![edit("level admin", "level operator")]),
        ),
        fault(
            "open-socket",
            "balancer lb1",
            "insecure_socket = true",
            Settings(open_settings),
        )
        .also(&["socket"]),
        fault(
            "open-stats-socket",
            "balancer lb1",
            "Unix socket",
            stats(&format!("ipv4@0.0.0.0:{open} level admin")),
        ),
        fault(
            "ssl-socket",
            "balancer lb1",
            "remove `ssl`",
            stats(&format!(
                "ipv4@127.0.0.1:{open} ssl crt {} level admin",
                pem.display()
            )),
        ),
    ]
}

fn state_files(world: &World) -> Vec<Fault> {
    let file = world.stage.balancers[0].layout.state_file();
    let shown = file.display().to_string();
    vec![
        fault(
            "state-file-folder",
            "balancer lb1",
            "let the user of `poolshift serve` write",
            Settings(edit(
                format!("state_file = {file:?}"),
                "state_file = \"/proc/nowhere/servers.state\"",
            )),
        )
        .also(&["state-file-setting"]),
        fault(
            "state-file-setting",
            "balancer lb1",
            "name the same file",
            Balancer(vec![edit(
                format!("server-state-file {shown}"),
                format!("server-state-file {shown}.other"),
            )]),
        ),
        fault(
            "state-file-loaded",
            "balancer lb1",
            "load-server-state-from-file global",
            Balancer(vec![edit("    load-server-state-from-file global\n", "")]),
        ),
    ]
}

fn pools(world: &World) -> Vec<Fault> {
    let servers = &world.stage.fleet.servers;
    let [first, second] = [servers[0].address, servers[1].address];
    let online = format!("    server web1 {first} track shop_probe/web1\n");
    let maintained = "track shop_probe/web1 disabled";
    let way = "    use-server web2 if { req.hdr(x-poolshift-server) -m str web2 }\n";
    let out = format!("    server web2 {second} track shop_probe/web2 disabled\n");
    let on_lb1 = |check, mend, edits| fault(check, "balancer lb1", mend, Balancer(edits));
    vec![
        on_lb1(
            "track",
            "write `track shop_probe/web1`",
            vec![edit(
                online.clone(),
                format!("    server web1 {first} check inter 250ms\n"),
            )],
        ),
        on_lb1(
            "track",
            "testers lose it",
            vec![edit(maintained, "track shop/web1 disabled")],
        ),
        on_lb1(
            "disabled",
            "write `disabled`",
            vec![edit(maintained, "track shop_probe/web1")],
        ),
        on_lb1(
            "server",
            "add `server web2",
            vec![edit(way, ""), edit(out, "")],
        )
        .also(&["use-server"]),
        on_lb1(
            "address",
            "write the same address",
            vec![edit(
                online.clone(),
                online.replace(&first.to_string(), &second.to_string()),
            )],
        ),
        on_lb1(
            "unknown-server",
            "keep the old version",
            vec![edit(
                online.clone(),
                format!("{online}{}", online.replace("server web1", "server web9")),
            )],
        ),
        on_lb1(
            "backend",
            "poolshift haproxy-config",
            vec![edit("shop_maintenance", "shop_tests")],
        ),
        on_lb1(
            "pinned",
            "pinned",
            vec![edit(
                "backend shop\n",
                "backend shop\n    cookie SRV insert indirect nocache\n",
            )],
        ),
        fault(
            "floor",
            "balancer lb1",
            "bring back web1, web2",
            Admin(["web1", "web2"]),
        ),
    ]
}

fn ways(world: &World) -> Vec<Fault> {
    let testers = world.stage.balancers[0].layout.testers.to_string();
    let closed = format!("127.0.0.1:{}", free_port());
    let on_lb1 = |check, mend, edits| fault(check, "balancer lb1", mend, Balancer(edits));
    vec![
        on_lb1(
            "use-server",
            "use-server web1 if",
            vec![edit(
                "    use-server web1 if { req.hdr(x-poolshift-server) -m str web1 }\n",
                "",
            )],
        ),
        on_lb1(
            "answered-by",
            "set-header",
            vec![edit(
                format!("    http-response set-header {ANSWERED_BY} %s\n"),
                "",
            )],
        ),
        on_lb1(
            "testers",
            "backend shop_maintenance alone",
            vec![edit(
                "use_backend shop_maintenance if",
                "use_backend shop if",
            )],
        ),
        fault(
            "testers",
            "balancer lb1",
            "bind a frontend",
            Apply(edit(testers, closed)),
        ),
    ]
}

/// What a watch reads.
fn counters(world: &World) -> Vec<Fault> {
    let layouts = [0, 1].map(|at| &world.stage.balancers[at].layout);
    let line = |at: usize| format!("lb{} = {:?}", at + 1, layouts[at].stats_socket());
    let instead =
        |socket: &dyn std::fmt::Debug| Settings(edit(line(0), format!("lb1 = {socket:?}")));
    let on_lb1 = |check, mend, plant| fault(check, "balancer lb1", mend, plant);
    vec![
        on_lb1(
            "no-stats-socket",
            "[health_checker.stats_sockets]",
            Settings(edit(line(0), "")),
        ),
        on_lb1(
            "stats-socket",
            "level user",
            instead(&"/nowhere/stats.sock"),
        ),
        on_lb1(
            "stats-level",
            "level user",
            instead(&layouts[0].admin_socket()),
        ),
        on_lb1(
            "stats-backend",
            "name the socket of lb1",
            Balancer(vec![
                edit("backend shop\n", "backend shop_else\n"),
                edit("default_backend shop\n", "default_backend shop_else\n"),
            ]),
        )
        .also(&["backend"]),
        fault(
            "no-response-time",
            "server web1",
            "`probe_path`",
            Apply(edit(
                "for = \"60s\"",
                "for = \"60s\", max_response = \"1s\", probe_path = \"/nowhere\"",
            )),
        ),
    ]
}

/// Those of a target that no load balancer is in front of.
pub(crate) fn without_balancers(world: &World) -> Vec<Fault> {
    let first = world.stage.fleet.servers[0].address.to_string();
    let closed = format!("127.0.0.1:{}", free_port());
    vec![
        fault(
            "health",
            "server web1",
            "let this machine reach it",
            Apply(edit(first, closed)),
        ),
        fault(
            "program",
            "machine m1",
            "install it there",
            Apply(edit("drain = [\"true\"]", "drain = [\"no-such-program\"]")),
        ),
        fault(
            "silent-agent",
            "machine m2",
            "start poolshift-agent",
            AgentGone,
        ),
    ]
}

fn service_file(world: &World) -> Vec<Fault> {
    let third = "  { name = \"lb3\", testers = \"http://127.0.0.1:9\" },\n]\nservers";
    let suite = edit("shop\", \"suite\"", "shop-of-tomorrow\", \"suite\"");
    let last = world.stage.fleet.servers[3].name.as_str();
    vec![
        fault(
            "not-applied",
            "shop.toml",
            "poolshift apply",
            Unapplied(edit("owner = \"stage\"", "owner = \"somebody\"")),
        ),
        fault(
            "no-controller",
            "balancer lb3",
            "add [[lb_controller]]",
            Apply(edit("]\nservers", third)),
        )
        .also(&["no-stats-socket"]),
        fault(
            "no-agent",
            "machine m9",
            "poolshift agent enrol m9",
            Apply(edit(
                format!("name = \"{last}\", machine = \"m2\""),
                format!("name = \"{last}\", machine = \"m9\""),
            )),
        ),
        fault(
            "disk",
            "machine m1",
            "make room",
            Apply(edit("max_size = \"1 MiB\"", "max_size = \"1024 GiB\"")),
        ),
        fault("program", "machine m1", "install it there", Apply(suite)),
        fault(
            "artifact",
            "machine m1",
            "mend `url`",
            Apply(edit("/shop-{version}", "/gone-{version}")),
        ),
    ]
}

fn agents() -> Vec<Fault> {
    let of_m2 = |check, mend, plant| fault(check, "machine m2", mend, plant);
    vec![
        of_m2("silent-agent", "start poolshift-agent", AgentGone),
        of_m2("clock", "time servers", Impostor).also(&["agent-version"]),
        of_m2("revoked-agent", "poolshift agent enrol m2", Plant::Revoked),
    ]
}
