//! `Drain`, `Restore` and `Hold` where no load balancer is in front: the service's own command takes
//! it out of work, or puts it back.

use std::collections::BTreeMap;

use events::{Answer, FailedBecause, Failure, Own, OwnDone};
use tokio::time::Instant;

use super::{Bench, fetch};
use crate::program::{self, Former, Program, former};
use crate::releases::Home;

const MARK: &str = "own";

pub(super) async fn answer(bench: &Bench<'_>, own: &Own, until: Instant) -> Answer {
    let began = Instant::now();
    match run(bench, own, until).await {
        Ok(()) => Answer::from(OwnDone {
            command: bench.command.id.clone(),
            took_ms: fetch::took_ms(began),
            output: bench.output(),
        }),
        Err(failure) => bench.failed(&failure),
    }
}

async fn run(bench: &Bench<'_>, own: &Own, until: Instant) -> Result<(), Failure> {
    let home = Home::open(&own.into)?;
    let program = Program {
        argv: &own.argv,
        folder: home.path(),
        environment: BTreeMap::new(),
        mark: &bench.mark(MARK),
        output: &bench.output_path(),
    };
    let status = program::run(&bench.tools.launcher, &program, until).await?;
    if status.success() {
        return Ok(());
    }
    Err(Failure::new(
        FailedBecause::ProgramFailed,
        &format!("the service's own command {}", program::describe(status)),
    ))
}

/// How it ended is not known, so it is no answer; what still runs is ended, so that the next try
/// does not meet it.
pub(super) async fn recover(bench: &Bench<'_>) -> Answer {
    if let Ok(Former::Runs(orphan)) = former(&bench.mark(MARK)) {
        orphan.end().await;
    }
    let detail = "the agent was restarted in the middle of the service's own command";
    bench.failed(&Failure::new(FailedBecause::Interrupted, detail))
}
