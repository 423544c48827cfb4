//! Which crate may not depend on which. The borders are the architecture: what cannot be named
//! cannot be leaned on.

use crate::finding::{Finding, none};
use crate::workspace::{metadata, root, texts};
use cargo_metadata::{DependencyKind, Metadata, Package};
use std::collections::BTreeSet;
use std::process::Command;

/// Processes: each may be started alone, and none may lean on another.
const PROCESSES: &[&str] = &[
    "agent",
    "gateway",
    "health-checker",
    "lb-controller",
    "notifier",
    "orchestrator",
    "poolshift",
];

/// The only crates that may name several processes: they put them together, or look at them from
/// outside.
const TOGETHER: &[&str] = &["poolshift", "simulation", "tests", "xtask"];

/// Crates of others that only the crates beside them may name.
const RESERVED: &[(&[&str], &[&str])] = &[
    (
        &["rdkafka", "rdkafka-sys", "rusqlite", "libsqlite3-sys"],
        &["bus"],
    ),
    (&["redis"], &["view"]),
    (
        &["actix", "actix-web", "actix-rt", "actix-http"],
        &["boot", "gateway"],
    ),
];

const ACTIX: &[&str] = &["actix", "actix-web", "actix-rt", "actix-http"];
/// `jiff` is not among them: the brain needs the calendar of a place, and `clippy.toml` bans what
/// asks jiff for the time of now or for the zones of this machine.
const CLOCKS: &[&str] = &["chrono", "time"];
const DICE: &[&str] = &["fastrand", "getrandom", "rand"];
const RUNTIMES: &[&str] = &["async-std", "futures", "smol", "tokio"];

#[test]
fn the_contract_leans_on_no_runtime_and_on_nothing_of_ours() {
    let metadata = metadata();
    let events = package(&metadata, "events");
    let mut found = named(events, |name| RUNTIMES.contains(&name) || is_ours(name));
    found.extend(named(events, |name| {
        ACTIX.contains(&name) || name == "rdkafka"
    }));
    found.extend(carried(events, &["tokio", "actix-web", "rdkafka"], &[HOST]));
    none(
        found,
        "the contract is values and text: move what does I/O into the crate that needs it",
    );
}

#[test]
fn the_brain_leans_on_no_clock_no_runtime_no_dice_and_no_door() {
    let metadata = metadata();
    let rollout = package(&metadata, "rollout");
    let banned: Vec<&str> = [
        ACTIX,
        CLOCKS,
        DICE,
        RUNTIMES,
        &["rdkafka", "reqwest", "tracing"],
    ]
    .concat();
    // Development too: a test of the brain gives it its time and its dice.
    let mut found = named(rollout, |name| banned.contains(&name));
    found.extend(named(rollout, |name| {
        is_ours(name) && short(name) != "events"
    }));
    found.extend(carried(
        rollout,
        &[
            "tokio",
            "actix-web",
            "rdkafka",
            "reqwest",
            "tracing",
            "rand",
        ],
        &[HOST],
    ));
    none(
        found,
        "the brain is pure: give it the time, the input and the answer as arguments",
    );
}

#[test]
fn libraries_lean_on_no_process_and_not_on_the_brain() {
    let metadata = metadata();
    let libraries = ["bus", "view", "boot"].map(|name| package(&metadata, name));
    let banned = |name: &str| is_ours(name) && (short(name) == "rollout" || is_process(name));
    none(
        libraries.iter().flat_map(|library| named(library, banned)),
        "move it to the orchestrator, which may know both",
    );
}

#[test]
fn the_agent_builds_anywhere() {
    let metadata = metadata();
    let agent = package(&metadata, "agent");
    let banned = [
        "aws-lc-sys",
        "aws-lc-rs",
        "rusqlite",
        "libsqlite3-sys",
        "rdkafka",
        "redis",
        "actix-web",
    ];
    let mut found = named(agent, |name| is_ours(name) && short(name) != "events");
    found.extend(named(agent, |name| banned.contains(&name)));
    found.extend(carried(agent, &banned, &[HOST, "x86_64-pc-windows-msvc"]));
    none(
        found,
        "the agent must cross-build: use pure Rust, ring for TLS, and only `events` of ours",
    );
}

#[test]
fn no_process_leans_on_another() {
    let metadata = metadata();
    let processes = metadata.workspace_packages().into_iter();
    let alone = processes.filter(|package| !TOGETHER.contains(&short(&package.name)));
    none(
        alone.flat_map(|package| named(package, is_process)),
        "let them speak through the streams; only poolshift, simulation, tests and xtask may name several",
    );
}

#[test]
fn each_foreign_store_and_door_has_one_home() {
    let metadata = metadata();
    let mut found = Vec::new();
    for package in metadata.workspace_packages() {
        for (crates, homes) in RESERVED {
            if !homes.contains(&short(&package.name)) {
                found.extend(named(package, |name| crates.contains(&name)));
            }
        }
    }
    none(
        found,
        "use it through its home: `bus` for the log, `view` for Redis, `gateway` for HTTP",
    );
}

const HOST: &str = "x86_64-unknown-linux-gnu";

/// The folder's name of a package of ours: `poolshift-events` lies in `crates/events`.
fn short(name: &str) -> &str {
    name.strip_prefix("poolshift-").unwrap_or(name)
}

fn is_ours(name: &str) -> bool {
    name.starts_with("poolshift") || name == "xtask"
}

fn is_process(name: &str) -> bool {
    is_ours(name) && PROCESSES.contains(&short(name))
}

fn package<'a>(metadata: &'a Metadata, name: &str) -> &'a Package {
    let packages = metadata.workspace_packages();
    let found = packages
        .into_iter()
        .find(|package| short(&package.name) == name);
    found.unwrap_or_else(|| panic!("the workspace has no package for `{name}`"))
}

/// Dependencies that the package names itself, whatever their kind and platform.
fn named(package: &Package, banned: impl Fn(&str) -> bool) -> Vec<Finding> {
    let hits = package
        .dependencies
        .iter()
        .filter(|dependency| banned(&dependency.name));
    hits.map(|dependency| {
        let kind = if dependency.kind == DependencyKind::Development {
            "for its tests"
        } else {
            "in what it ships or builds with"
        };
        at_manifest(package, &dependency.name, kind)
    })
    .collect()
}

/// Crates that come along with what the package ships, on one of the platforms.
fn carried(package: &Package, banned: &[&str], platforms: &[&str]) -> Vec<Finding> {
    let trees = platforms
        .iter()
        .map(|platform| tree(&package.name, platform));
    let names: BTreeSet<String> = trees.flatten().collect();
    let hits = banned.iter().filter(|name| names.contains(**name));
    hits.map(|name| at_manifest(package, name, "by way of another crate"))
        .collect()
}

/// With exactly the features that the package asks for: `cargo metadata` mixes those of the whole
/// workspace.
fn tree(package: &str, platform: &str) -> Vec<String> {
    let output = Command::new(env!("CARGO"))
        .args(["tree", "--locked", "--prefix", "none", "--format", "{p}"])
        .args([
            "--edges",
            "normal,build",
            "--package",
            package,
            "--target",
            platform,
        ])
        .current_dir(root())
        .output()
        .expect("cargo runs");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        output.status.success(),
        "`cargo tree` of {package} failed:\n{said}"
    );
    let list = String::from_utf8_lossy(&output.stdout).into_owned();
    let names: Vec<String> = list
        .lines()
        .filter_map(|line| Some(line.split(' ').next()?.to_owned()))
        .collect();
    assert!(
        names.iter().any(|name| name == package),
        "`cargo tree` of {package} is empty"
    );
    names
}

fn at_manifest(package: &Package, name: &str, how: &str) -> Finding {
    let root = root();
    let path = package.manifest_path.strip_prefix(&root);
    let file = path.map_or_else(|_| package.manifest_path.to_string(), ToString::to_string);
    let texts = texts();
    let manifest = texts.iter().find(|text| text.path == file);
    let line = manifest.and_then(|text| {
        text.content
            .lines()
            .position(|line| line.starts_with(short(name)) || line.starts_with(name))
    });
    Finding::new(
        &file,
        line.map_or(1, |line| line + 1),
        format!("names `{name}` {how}"),
    )
}

#[test]
fn what_a_crate_names_is_found_in_its_manifest() {
    let metadata = metadata();
    let found = named(package(&metadata, "bus"), |name| name == "rusqlite");
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].file, "crates/bus/Cargo.toml");
    assert!(found[0].line > 1, "{}", found[0]);
    let carried = carried(package(&metadata, "bus"), &["libsqlite3-sys"], &[HOST]);
    assert_eq!(carried.len(), 1);
}
