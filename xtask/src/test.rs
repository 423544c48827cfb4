//! `cargo xtask test`: every test, in parts that are held to their budgets.

mod build;
mod count;
mod needs;
mod parts;

use crate::part::{Part, print_table};
use anyhow::{Context, Result, ensure};
pub(crate) use build::{Program, counted};
pub(crate) use count::Count;
pub(crate) use parts::{Group, group_of};

use crate::windows;
use std::cell::Cell;
use std::env;
use std::path::Path;
use std::process;
use std::time::Duration;

/// On two cores that have built nothing yet.
const BUILD: Duration = Duration::from_secs(14 * 60);
const BUILD_WINDOWS: Duration = Duration::from_secs(6 * 60);

/// Runs everything, also after a part has failed. The last line is `N passed, N failed`.
pub(crate) async fn run() -> Result<()> {
    // Asked before the build, which may put another program in our place.
    let own = env::current_exe().context("cannot find my own program")?;
    let mut parts = vec![Part::of("needs", None, needs::install()).await];
    let mut programs = Vec::new();
    let building = async {
        programs = build::all().await?;
        Ok(())
    };
    parts.push(Part::of("build", Some(BUILD), building).await);
    parts.push(Part::of("for windows", Some(BUILD_WINDOWS), windows::prepare()).await);
    let sum = Cell::new(Count::default());
    for group in Group::ALL {
        let name = group.name();
        parts.push(
            Part::of(
                name,
                Some(group.budget()),
                play(group, &programs, &own, &sum),
            )
            .await,
        );
    }
    print_table(&parts);
    let sum = sum.get();
    let good = sum.failed == 0 && parts.iter().all(Part::is_good);
    println!("{sum}");
    if !good {
        // The count must stay the last line: an error returned from here would be printed below it.
        process::exit(1);
    }
    Ok(())
}

async fn play(group: Group, programs: &[Program], own: &Path, sum: &Cell<Count>) -> Result<()> {
    let mut bad = Vec::new();
    if group == Group::Windows {
        let count = windows::play(programs).await?;
        sum.set(sum.get() + count);
        ensure!(count.failed == 0, "{count}");
        return Ok(());
    }
    for program in programs.iter().filter(|it| group_of(it) == Some(group)) {
        let count = program.run().await?;
        sum.set(sum.get() + count);
        if count.failed > 0 {
            bad.push(program.to_string());
        }
    }
    for chore in group.chores() {
        let count = build::chore(*chore, own).await?;
        sum.set(sum.get() + count);
        if count.failed > 0 {
            bad.push(chore.to_string());
        }
    }
    ensure!(bad.is_empty(), "{}", bad.join(", "));
    Ok(())
}
