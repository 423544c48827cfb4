//! `cargo xtask walk`: random walks over the whole fleet in virtual time.

use std::collections::BTreeSet;

use anyhow::{Result, bail};
use clap::Args;
use simulation::{Break, Breakage, break_each, trace, walks};

/// How many seeds are tried to notice a broken rule.
const BREAK_RUNS: u64 = 4_000;

/// How far to walk, and what to break.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// How many walks; with `--break`, the most that each rule gets (default 4000 there).
    #[arg(long, default_value_t = 20_000)]
    runs: u64,
    /// The first seed.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Break this rule of the design on purpose, or `all` of them one after the other: an invariant
    /// must notice.
    #[arg(long, value_name = "RULE|all")]
    r#break: Option<String>,
    /// Print the events of each walk.
    #[arg(long)]
    trace: bool,
}

/// Walks, and says what it saw.
pub(crate) fn run(options: &Options) -> Result<()> {
    let threads = std::thread::available_parallelism().map_or(1, |cores| cores.get() as u64);
    match options.r#break.as_deref() {
        Some("all") => break_all(options, threads),
        Some(rule) => walk(options, Some(rule.parse()?), threads),
        None => walk(options, None, threads),
    }
}

fn walk(options: &Options, broken: Option<Break>, threads: u64) -> Result<()> {
    if options.trace {
        for seed in options.seed..options.seed + options.runs {
            for line in trace(seed, broken) {
                println!("{line}");
            }
        }
    }
    let tally = walks(options.seed, options.runs, broken, threads);
    for (seed, violation) in tally.failing.iter().take(10) {
        let breaks = broken.map_or_else(String::new, |rule| format!(" --break {}", rule.name()));
        println!(
            "seed {seed}: {violation}\n  cargo xtask walk --seed {seed} --runs 1{breaks} --trace"
        );
    }
    println!("{tally}");
    if !tally.failing.is_empty() {
        bail!("{} walks broke an invariant", tally.failing.len());
    }
    Ok(())
}

fn break_all(options: &Options, threads: u64) -> Result<()> {
    let (unseen, seen): (Vec<Break>, Vec<Break>) = Break::all()
        .into_iter()
        .partition(|rule| rule.unseen().is_some());
    let found = break_each(&seen, options.seed, options.runs.min(BREAK_RUNS), threads);
    for breakage in &found {
        println!("{}", line(breakage));
    }
    println!("\nrules that no invariant can see:");
    for rule in unseen {
        let reason = rule.unseen().unwrap_or_default();
        println!("{:28} {reason}", rule.name());
    }
    let catchers: BTreeSet<String> = found
        .iter()
        .filter_map(|breakage| breakage.caught.as_ref())
        .map(|(_, violation)| violation.invariant.to_string())
        .collect();
    let catchers: Vec<String> = catchers.into_iter().collect();
    println!("\ninvariants that caught one: {}", catchers.join(" "));
    let caught = found.iter().filter(|one| one.caught.is_some()).count();
    println!("rules: {}, caught: {caught}", found.len());
    if caught < found.len() {
        bail!("{} broken rules were not noticed", found.len() - caught);
    }
    Ok(())
}

fn line(breakage: &Breakage) -> String {
    let name = breakage.rule.name();
    match &breakage.caught {
        Some((seed, violation)) => format!("{name:28} {violation} (seed {seed})"),
        None => format!("{name:28} NOT NOTICED"),
    }
}
