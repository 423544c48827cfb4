//! Rollouts of eight servers in four batches, without customers: what each batch spends on whom.

use super::spans::{Batch, Part, batches};
use anyhow::{Context, Result, ensure};
use events::Outcome;
use std::time::Duration;
use tests::programs::Programs;
use tests::shop::Release;
use tests::world::{Setup, World};

/// Enough batches for a median.
const ROLLOUTS: usize = 3;

const ROLLOUT: Duration = Duration::from_secs(180);

/// The bound on what is none of the workers' work.
const OVERHEAD_MS: u64 = 150;

/// Measures; the last line on stdout is the median overhead of a batch.
pub(super) async fn run() -> Result<()> {
    eprintln!("building the shop, poolshift and its agent");
    let programs = Programs::build().await?;
    let root = tempfile::tempdir().context("no folder for the stage")?;
    let mut world = World::set(&programs, root.path(), Setup::default()).await?;
    let mut history = world.history();
    let mut rest = vec![];
    head();
    for number in 1..=ROLLOUTS {
        let rollout = world
            .trigger(&Release::good(&format!("1.{number}.0")))
            .await?;
        let end = world.finish(&mut history, rollout, ROLLOUT).await?;
        ensure!(
            end.outcome == Outcome::Succeeded,
            "a rollout ended as {}: {}",
            end.outcome,
            end.reason
        );
        for batch in batches(&history.events, rollout) {
            line(number, &batch)?;
            rest.push(batch.ms(Part::Rest));
        }
    }
    rest.sort_unstable();
    let median = rest.get(rest.len() / 2).copied().context("no batch")?;
    println!("overhead_ms_median: {median}");
    ensure!(
        median < OVERHEAD_MS,
        "more than {OVERHEAD_MS} ms of a batch are nobody's work"
    );
    Ok(())
}

fn head() {
    print!("{:<14}{:>8}", "milliseconds", "servers");
    for part in Part::ALL {
        print!("{:>9}", part.name());
    }
    println!("{:>9}", "whole");
}

fn line(rollout: usize, batch: &Batch) -> Result<()> {
    print!("{rollout}, batch {:<4}{:>8}", batch.number, batch.servers);
    for part in Part::ALL {
        print!("{:>9}", batch.ms(part));
    }
    println!("{:>9}", batch.whole_ms());
    let sum: u64 = Part::ALL.iter().map(|part| batch.ms(*part)).sum();
    ensure!(
        sum.abs_diff(batch.whole_ms()) * 100 <= batch.whole_ms(),
        "the parts of batch {} add up to {sum} ms, not {}",
        batch.number,
        batch.whole_ms()
    );
    Ok(())
}
