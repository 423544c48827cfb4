//! The files that people would write: the service's catalogue entry, and the settings of each
//! process.

use super::setup::{Install, Setup};
use super::{ENVIRONMENT, SERVICE, Secret};
use crate::artifact::Place;
use crate::programs::Programs;
use crate::stage::Stage;
use anyhow::{Context, Result};
use std::fmt::Write as _;
use std::fs;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

/// Writes `services/shop.toml` into `root`.
pub(super) fn catalogue(
    root: &Path,
    setup: &Setup,
    programs: &Programs,
    stage: &Stage,
    place: &Place,
) -> Result<()> {
    let text = [
        service(place),
        install(root, setup, programs, stage)?,
        proof(programs),
        rules(setup),
        environment(setup, stage),
    ]
    .join("\n");
    let folder = root.join("services");
    fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    write(&folder.join("shop.toml"), &text)
}

fn service(place: &Place) -> String {
    format!(
        r#"name = "{SERVICE}"
owner = "stage"

[jenkins]
job = "https://jenkins.example/job/shop/job/main/"
version_parameter = "VERSION"
sha256_parameter = "SHA256"

[artifact]
url = "{}"
max_size = "1 MiB"
timeout = "20s"
"#,
        place.url("shop-{version}.tar.gz")
    )
}

fn proof(programs: &Programs) -> String {
    format!(
        r#"prove = {{ http = "/version" }}
timeout = "30s"

[[tests]]
name = "as a customer"
command = ["{}", "suite", "--out", "result.xml"]
results = "result.xml"
at_least = 7
timeout = "30s"

[check]
http = {{ path = "/health", status = 200, body = "{{version}}" }}
in_a_row = 3
interval = "100ms"
timeout = "20s"
"#,
        programs.shop.display()
    )
}

fn rules(setup: &Setup) -> String {
    format!(
        r#"[rollout]
batches = {batches}
floor = {floor}
drain = {{ timeout = "{drain}s" }}
restore_timeout = "{restore}s"
start_within = "20s"
person_wait = "{person}s"
on_failure = "{failure}"
{watch}
"#,
        batches = setup.batches,
        floor = setup.floor,
        drain = setup.drain_timeout_s,
        restore = setup.restore_timeout_s,
        person = setup.person_wait_s,
        watch = setup.watch,
        failure = if setup.rolls_back {
            "roll-back"
        } else {
            "halt"
        },
    )
}

fn environment(setup: &Setup, stage: &Stage) -> String {
    format!(
        r#"[environments.{ENVIRONMENT}]
online = "{SERVICE}"
maintenance = "{SERVICE}_maintenance"
balancers = [
{balancers}]
servers = [
{servers}]
"#,
        balancers = balancers(stage),
        servers = servers(setup, stage),
    )
}

fn install(root: &Path, setup: &Setup, programs: &Programs, stage: &Stage) -> Result<String> {
    let home = root.join("{server}");
    match &setup.install {
        Install::Archive => {
            let restart = stage.fleet.restart_command(&home.display().to_string());
            Ok(format!(
                "[install]\nkind = \"archive\"\ninto = \"{}\"\nrestart = {restart:?}",
                home.display()
            ))
        }
        Install::Command { before_restart } => {
            let path = root.join("installer");
            let text = format!(
                "#!/bin/sh\nset -e\nhome={root}/$1\necho \"$(date +%s%3N) $VERSION\" \
                 >> $home/installs.log\n{before_restart}\nexec {shop} restart --home $home\n",
                root = root.display(),
                shop = programs.shop.display(),
            );
            write(&path, &text)?;
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755))
                .with_context(|| format!("cannot make {} a program", path.display()))?;
            Ok(format!(
                "[install]\nkind = \"command\"\ninto = \"{}\"\ncommand = [\"{}\", \"{{server}}\"]",
                home.display(),
                path.display()
            ))
        }
    }
}

fn balancers(stage: &Stage) -> String {
    let layouts = stage.balancers.iter().map(|one| &one.layout);
    let lines = layouts.map(|layout| {
        format!(
            "  {{ name = \"{}\", testers = \"http://{}\" }},\n",
            layout.name, layout.testers
        )
    });
    lines.collect()
}

fn servers(setup: &Setup, stage: &Stage) -> String {
    let servers = stage.fleet.servers.iter().enumerate();
    let lines = servers.map(|(place, server)| {
        format!(
            "  {{ name = \"{}\", machine = \"{}\", address = \"{}\" }},\n",
            server.name,
            setup.machine_of(place),
            server.address
        )
    });
    lines.collect()
}

/// The file of the log.
pub(super) fn log(root: &Path) -> PathBuf {
    root.join("poolshift").join("poolshift.db")
}

/// Writes the settings of `serve`; returns their path.
pub(super) fn serve(
    root: &Path,
    stage: &Stage,
    doors: [SocketAddr; 2],
    secret: &Secret,
    sockets: &[PathBuf],
) -> Result<PathBuf> {
    let folder = root.join("poolshift");
    fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let secrets = folder.join("webhook-secrets");
    write(&secrets, &secret.line())?;
    let mut text = format!(
        "log = {:?}\ncatalogue = {:?}\n\n[gateway]\nlocal = \"{}\"\npublic = \"{}\"\nkey = {:?}\n\
         webhook_secrets = [\"file:{}\"]\n",
        log(root),
        root.join("services"),
        doors[0],
        doors[1],
        folder.join("gateway.key"),
        secrets.display(),
    );
    for (balancer, socket) in stage.balancers.iter().zip(sockets) {
        let layout = &balancer.layout;
        write!(
            text,
            "\n[[lb_controller]]\nname = \"{}\"\nadmin_socket = {socket:?}\nstate_file = {:?}\n",
            layout.name,
            layout.state_file(),
        )
        .context("cannot write the settings")?;
    }
    text.push_str("\n[health_checker.stats_sockets]\n");
    for balancer in &stage.balancers {
        let layout = &balancer.layout;
        writeln!(text, "{} = {:?}", layout.name, layout.stats_socket())
            .context("cannot write the settings")?;
    }
    let path = folder.join("serve.toml");
    write(&path, &text)?;
    Ok(path)
}

/// Writes the settings of the agent on this machine; returns their path.
pub(super) fn agent(root: &Path, machine: &str, public: SocketAddr) -> Result<PathBuf> {
    let folder = root.join(machine);
    fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let path = folder.join("agent.toml");
    let text = format!(
        "gateway = \"http://{public}\"\nmachine = \"{machine}\"\ndata = {:?}\n",
        folder.join("data")
    );
    write(&path, &text)?;
    Ok(path)
}

fn write(path: &Path, text: &str) -> Result<()> {
    fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
}
