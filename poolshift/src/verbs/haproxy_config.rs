//! `poolshift haproxy-config`.

use std::path::PathBuf;

use clap::Args;
use events::{BalancerName, Probe, Target};
use lb_controller::HaproxyPools;
use rollout::catalogue::{Entry, units::duration_ms};
use serde::Serialize;

use crate::catalogue;
use crate::failure::Failure;
use crate::haproxy;
use crate::said::Said;

/// `haproxy-config`.
#[derive(Debug, Clone, Args)]
pub(crate) struct HaproxyConfig {
    /// Which service, and where: production/checkout.
    pub(crate) target: Target,
    /// The service files.
    #[arg(long, value_name = "DIR", default_value = "services")]
    pub(crate) catalogue: PathBuf,
    /// Which of the target's balancers; none: the first.
    #[arg(long, value_name = "NAME")]
    pub(crate) balancer: Option<BalancerName>,
    /// Print this configuration of HAProxy, with the pools put into its backend, instead of sections
    /// to be added to one.
    #[arg(long, value_name = "FILE")]
    pub(crate) into: Option<PathBuf>,
    /// Where customers reach the service. Not with --into: their frontend stays as it is.
    #[arg(long, value_name = "HOST:PORT", default_value = "*:80")]
    pub(crate) customers: String,
    /// Path that HAProxy asks to know whether a server is UP; none: that of the first HTTP probe.
    #[arg(long, value_name = "PATH")]
    pub(crate) check_path: Option<String>,
    /// From one check of HAProxy to the next.
    #[arg(long, value_name = "DURATION", default_value = "1s")]
    pub(crate) check_every: String,
    /// HAProxy's admin socket, as the lb-controller's settings name it.
    #[arg(long, value_name = "FILE", default_value = "/run/haproxy/admin.sock")]
    pub(crate) admin_socket: PathBuf,
    /// HAProxy's socket for counters, as the health-checker's settings name it.
    #[arg(long, value_name = "FILE", default_value = "/run/haproxy/stats.sock")]
    pub(crate) stats_socket: PathBuf,
    /// HAProxy's state file, as the lb-controller's settings name it.
    #[arg(
        long,
        value_name = "FILE",
        default_value = "/var/lib/haproxy/server-state"
    )]
    pub(crate) state_file: PathBuf,
}

#[derive(Serialize)]
struct Printed<'a> {
    target: &'a Target,
    config: String,
}

/// Prints what a balancer's HAProxy needs, from the service files alone.
pub(crate) fn run(wanted: &HaproxyConfig, json: bool) -> anyhow::Result<Said> {
    let files = catalogue::load(std::slice::from_ref(&wanted.catalogue))?;
    let entry = catalogue::entry(&files, &wanted.target)?;
    if entry.balancers.is_empty() {
        let what = format!("{} has no load balancer in front", wanted.target);
        return Err(Failure::refused(what)
            .mend("its servers are taken out of work by `drain` and `restore` of its environment")
            .into());
    }
    let config = config(wanted, entry)?;
    let printed = Printed {
        target: &wanted.target,
        config,
    };
    Said::either(json, &printed, || printed.config.trim_end().to_owned())
}

fn config(wanted: &HaproxyConfig, entry: &Entry) -> Result<String, Failure> {
    if entry.probe != format!("{}_probe", entry.online) {
        return Err(Failure::refused(format!(
            "`{}` is not called after the online pool",
            entry.probe
        ))
        .mend(format!(
            "write probe = \"{}_probe\", or none at all: that is the name that is printed",
            entry.online
        )));
    }
    let check_every_ms = duration_ms(&wanted.check_every).map_err(|error| {
        Failure::refused(format!("--check-every {}: {error}", wanted.check_every))
    })?;
    let servers: Vec<(String, String)> = entry
        .servers
        .iter()
        .map(|server| (server.name.to_string(), server.address.clone()))
        .collect();
    let pools = HaproxyPools {
        target: wanted.target.as_str(),
        online: &entry.online,
        maintenance: &entry.maintenance,
        customers: &wanted.customers,
        testers: testers(wanted, entry)?,
        check_path: check_path(wanted, entry),
        check_every_ms,
        servers: &servers,
        admin_socket: &wanted.admin_socket,
        stats_socket: &wanted.stats_socket,
        state_file: &wanted.state_file,
    };
    let Some(file) = &wanted.into else {
        return Ok(lb_controller::haproxy_config(&pools));
    };
    let text = String::from_utf8(haproxy::bytes(file)?).map_err(|error| {
        Failure::refused(format!("{}: {error}", file.display()))
            .mend("write it as UTF-8: all that stands in it is printed again")
    })?;
    haproxy::graft(&file.display().to_string(), &text, &pools)
}

fn testers<'a>(wanted: &HaproxyConfig, entry: &'a Entry) -> Result<&'a str, Failure> {
    let found = match &wanted.balancer {
        Some(name) => entry
            .balancers
            .iter()
            .find(|balancer| balancer.name == *name),
        None => entry.balancers.first(),
    };
    let known: Vec<&str> = entry
        .balancers
        .iter()
        .map(|balancer| balancer.name.as_str())
        .collect();
    let balancer = found.ok_or_else(|| {
        Failure::refused(format!("{} has no such balancer", wanted.target))
            .note("known", known.join(", "))
    })?;
    let url = balancer.testers.as_str();
    Ok(url.split_once("://").map_or(url, |(_, address)| address))
}

fn check_path<'a>(wanted: &'a HaproxyConfig, entry: &'a Entry) -> &'a str {
    let probed = entry.check.probes.iter().find_map(|probe| match probe {
        Probe::Http { path, .. } => Some(path.as_str()),
        Probe::Tcp { .. } | Probe::Command { .. } => None,
    });
    wanted.check_path.as_deref().or(probed).unwrap_or("/")
}
