//! What a former life of the agent began and did not end. Nothing is run again: what still runs is
//! awaited or ended, then the truth is looked at.

use events::{Answer, FailedBecause, Failure, Fetch, Fetched, Install, InstallKind, Test, Work};
use tokio::time::Instant;

use super::{Bench, fetch, install, own, prove, suites};
use crate::program::{Former, former};
use crate::releases::Home;

pub(super) async fn answer(bench: &Bench<'_>, until: Instant) -> Answer {
    match &bench.command.work {
        Work::Fetch(work) => fetched(bench, work).await,
        Work::Install(work) => installed(bench, work, until).await,
        Work::Test(work) => tested(bench, work).await,
        Work::Drain(_) | Work::Restore(_) | Work::Hold(_) if bench.command.own.is_some() => {
            own::recover(bench).await
        }
        Work::Drain(_) | Work::Check(_) | Work::Restore(_) | Work::Hold(_) | Work::Watch(_) => {
            bench.failed(&interrupted("it was never for agents"))
        }
    }
}

fn interrupted(what: &str) -> Failure {
    Failure::new(
        FailedBecause::Interrupted,
        &format!("the agent was restarted in the middle: {what}"),
    )
}

async fn fetched(bench: &Bench<'_>, work: &Fetch) -> Answer {
    let began = Instant::now();
    let home = match Home::open(&work.into) {
        Ok(home) => home,
        Err(failure) => return bench.failed(&failure),
    };
    if let Some(tests) = &work.tests {
        let unpacked = home
            .tests()
            .map(|packages| packages.digest_of(&work.version));
        match unpacked {
            Ok(Some(digest)) if digest == tests.sha256 => {}
            Ok(_) => return bench.failed(&interrupted("the package of tests is not whole")),
            Err(failure) => return bench.failed(&failure),
        }
    }
    match fetch::digest_of(home.fetched(&work.artifact.sha256)).await {
        Some((digest, bytes)) if digest == work.artifact.sha256 => Answer::from(Fetched {
            command: bench.command.id.clone(),
            sha256: digest,
            bytes,
            is_well: None,
            took_ms: fetch::took_ms(began),
        }),
        Some(_) | None => bench.failed(&interrupted("the artifact is not whole")),
    }
}

async fn installed(bench: &Bench<'_>, work: &Install, until: Instant) -> Answer {
    let began = Instant::now();
    match prove_former(bench, work, until).await {
        Ok(proof) => install::installed(bench, work, proof, began, true),
        Err(failure) => bench.failed(&failure),
    }
}

async fn prove_former(
    bench: &Bench<'_>,
    work: &Install,
    until: Instant,
) -> Result<events::Proof, Failure> {
    let home = Home::open(&work.into)?;
    let has_stopped = !work.stop.is_empty() && ended(bench, install::STOP, until).await?;
    home.mend(until).await?;
    let installer_began = match work.method {
        InstallKind::Command => ended(bench, install::INSTALLER, until).await?,
        InstallKind::Archive | InstallKind::Other(_) => true,
    };
    let mut restart_began =
        work.restart.is_empty() || ended(bench, install::RESTART, until).await?;
    if has_stopped && !restart_began {
        // Nobody else will start what a former life has stopped.
        start_again(bench, &home, work, until).await?;
        restart_began = true;
    }
    // A process of the same version that was never restarted would prove nothing.
    if !installer_began {
        return Err(interrupted("the installer had not begun"));
    }
    if !restart_began {
        return Err(interrupted("the restart had not begun"));
    }
    let release = install::release_of(work);
    let is_switched = home.current().as_ref() == Some(&release.version)
        && home.digest_of(&release.version) == Some(release.sha256);
    if !is_switched {
        return Err(interrupted("`current` was not switched"));
    }
    let until = until.min(Instant::now() + install::SETTLE);
    prove::prove(bench, (&work.prove, home.path()), &work.version, until)
        .await
        .map_err(|failure| interrupted(&failure.detail))
}

/// Starts what was stopped; once, whatever befalls this life.
async fn start_again(
    bench: &Bench<'_>,
    home: &Home,
    work: &Install,
    until: Instant,
) -> Result<(), Failure> {
    let mark = bench.mark(install::START_AGAIN);
    if mark.exists() {
        ended(bench, install::START_AGAIN, until).await?;
        return Ok(());
    }
    // Its time may be over; a service that stays down is the worse end.
    let until = until.max(Instant::now() + install::SETTLE);
    install::restart(bench, home, work, (install::START_AGAIN, until))
        .await
        .map_err(|failure| interrupted(&failure.detail))
}

/// Waits for a program that may still run, or ends it at `until`; whether it ever began.
async fn ended(bench: &Bench<'_>, program: &str, until: Instant) -> Result<bool, Failure> {
    let mark = bench.mark(program);
    let found = former(&mark).map_err(|error| {
        crate::disk::failure("look at", &mark, &error, FailedBecause::Interrupted)
    })?;
    match found {
        Former::NeverBegan => Ok(false),
        Former::Ended => Ok(true),
        Former::Runs(orphan) => {
            if !orphan.ended_by(until).await {
                orphan.end().await;
            }
            Ok(true)
        }
    }
}

/// Half a test run is no verdict; it is ended so that the next one is alone.
async fn tested(bench: &Bench<'_>, work: &Test) -> Answer {
    for index in 0..work.suites.len() {
        if let Ok(Former::Runs(orphan)) = former(&bench.mark(&suites::mark_of(index))) {
            orphan.end().await;
        }
    }
    bench.failed(&interrupted("the suites did not end"))
}
