//! `cargo xtask crash`: whatever is killed at whatever moment, a rollout comes to its end, no
//! customer reaches a server that is held out, and no installer runs twice.

mod converge;
mod forgetful;
mod installs;
mod kill;
mod moment;

use crate::interrupt::unless_interrupted;
use anyhow::{Context, Result, bail};
use clap::Args;
use events::Outcome;
use std::time::Duration;
use tests::clock::now_ms;
use tests::customers::{Customers, Load};
use tests::programs::Programs;
use tests::shop::Release;
use tests::stage::BALANCERS;
use tests::world::{History, Install, Setup, World, facts};
use tokio::time::Instant;

use kill::{Dice, Kill, What};
use moment::Moment;

/// A rollout of four servers takes seconds; what a crash costs are one or two deadlines.
const ROLLOUT: Duration = Duration::from_secs(90);

/// How many instants are left to chance.
const RANDOM: usize = 10;

/// Enough to come upon a server within a tenth of a second, and to leave the machine to the rest.
const PER_SECOND: u32 = 200;

/// How the kills are chosen.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// The same seed kills the same at the same moments.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

/// Runs all kills; the last line on stdout says what they came to.
pub(crate) async fn run(options: &Options) -> Result<()> {
    unless_interrupted(crash(options.seed)).await
}

/// What all kills came to.
#[derive(Debug, Default)]
struct Count {
    kills: u64,
    converged: u64,
    held_out_requests: u64,
    wrong: Vec<String>,
}

async fn crash(seed: u64) -> Result<()> {
    eprintln!("building the shop, poolshift and its agent");
    let programs = Programs::build().await?;
    let root = tempfile::tempdir().context("no folder for the stage")?;
    let mut world = World::set(&programs, root.path(), setup()).await?;
    let mut count = Count::default();
    let mut history = world.history();
    history.read().await?;

    let customers = open(&world)?;
    let mut dice = Dice::of(seed);
    let mut wanted = world.setup.initial.clone();
    for blow in blows(&mut dice) {
        wanted = one(&mut world, &mut history, &mut count, &wanted, blow).await?;
    }
    count.held_out_requests = held_out_requests(customers, &history).await?;
    let installs = installs::wrong(&world, &history.events)?;
    count.wrong.extend(installs);

    let customers = open(&world)?;
    let broken = forgetful::run(&mut world, &mut history).await?;
    let seen = held_out_requests(customers, &history).await?;
    println!("without the state file: {broken} requests in HoldBroken, {seen} seen by customers");
    if broken == 0 || seen == 0 {
        let blind = "nothing came through without the state file: the measure cannot fail";
        count.wrong.push(blind.to_owned());
    }
    count.end()
}

async fn held_out_requests(customers: Customers, history: &History) -> Result<u64> {
    let tally = customers.stop().await?;
    let held_out = facts::held_out(&history.events, BALANCERS.len(), now_ms());
    Ok(tally.held_out_requests(&held_out))
}

/// Every kind at every moment that has a name, then all kinds in turn at random instants.
fn blows(dice: &mut Dice) -> Vec<(Kill, Moment)> {
    let mut blows = vec![];
    for moment in Moment::NAMED {
        for what in What::ALL {
            blows.push((Kill::of(what, dice), moment));
        }
    }
    for number in 0..RANDOM {
        let what = What::ALL[number % What::ALL.len()];
        blows.push((Kill::of(what, dice), Moment::random(dice)));
    }
    blows
}

fn setup() -> Setup {
    Setup {
        servers: 4,
        batches: "[2]".to_owned(),
        install: Install::Command {
            before_restart: String::new(),
        },
        ..Setup::default()
    }
}

fn open(world: &World) -> Result<Customers> {
    Customers::start(Load {
        per_second: PER_SECOND,
        ..Load::through(world.stage.doors())
    })
}

/// One rollout, one kill; returns the release that everything should run now.
async fn one(
    world: &mut World,
    history: &mut History,
    count: &mut Count,
    before: &Release,
    (kill, moment): (Kill, Moment),
) -> Result<Release> {
    count.kills += 1;
    let release = Release::good(&format!("1.{}.0", count.kills));
    let begun = Instant::now();
    let rollout = world.trigger(&release).await?;
    let server = moment.come(history, rollout).await?;
    kill.strike(world, server.as_deref()).await?;
    let end = world.finish(history, rollout, ROLLOUT).await;
    let end = end.with_context(|| {
        format!(
            "{kill} at {moment}; the log of serve ends so:\n{}",
            world.serve.last_words()
        )
    })?;
    let went_back = end.outcome == Outcome::RolledBack;
    let wanted = if went_back { before.clone() } else { release };
    let wrong = converge::wrong(world, &end, &wanted.version).await;
    println!(
        "{:>3}. {kill:<28} {moment:<22} {:<11} {:>5.1} s{}",
        count.kills,
        end.outcome.to_string(),
        begun.elapsed().as_secs_f64(),
        if wrong.is_empty() { "" } else { "  WRONG" },
    );
    if wrong.is_empty() {
        count.converged += 1;
    }
    let named = wrong
        .into_iter()
        .map(|what| format!("{kill} at {moment}: {what}"));
    count.wrong.extend(named);
    Ok(wanted)
}

impl Count {
    fn end(self) -> Result<()> {
        for wrong in &self.wrong {
            eprintln!("wrong: {wrong}");
        }
        println!(
            "kills: {}, converged: {}, held_out_requests: {}",
            self.kills, self.converged, self.held_out_requests
        );
        if self.wrong.is_empty() && self.converged == self.kills && self.held_out_requests == 0 {
            return Ok(());
        }
        bail!("something did not survive the crashes")
    }
}
