//! `Install`: the release on the disk, `current` switched, the service restarted, and the version
//! proved to run.

use std::collections::BTreeMap;
use std::time::Duration;

use events::{
    Answer, Artifact, FailedBecause, Failure, Install, InstallKind, Installed, Proof, Release,
    Version,
};
use tokio::time::Instant;

use super::{Bench, fetch, prove};
use crate::program::{self, Program};
use crate::releases::{Home, remove_all};
use crate::unpack::{self, Limits};

/// Names of the marks.
pub(super) const STOP: &str = "stop";
pub(super) const INSTALLER: &str = "installer";
pub(super) const RESTART: &str = "restart";
/// The mark of a start that mends what a former life had stopped.
pub(super) const START_AGAIN: &str = "start-again";

/// How long the files of the former release may stay in use after the stop.
const SWITCH_WITHIN: Duration = Duration::from_secs(30);

pub(super) async fn answer(bench: &Bench<'_>, work: &Install, until: Instant) -> Answer {
    let began = Instant::now();
    match install(bench, work, until).await {
        Ok(proof) => installed(bench, work, proof, began, false),
        Err(failure) => bench.failed(&failure),
    }
}

/// The answer of an installation that is proved.
pub(super) fn installed(
    bench: &Bench<'_>,
    work: &Install,
    proof: Proof,
    began: Instant,
    resumed: bool,
) -> Answer {
    if let Ok(home) = Home::open(&work.into) {
        home.prune(work.keep, bench.previous.as_ref());
        home.prune_tests(work.keep, bench.previous.as_ref());
    }
    Answer::from(Installed {
        command: bench.command.id.clone(),
        version: work.version.clone(),
        sha256_runs: work.artifact.sha256,
        proof,
        previous: bench.previous.clone(),
        took_ms: fetch::took_ms(began),
        resumed,
        output: bench.output(),
    })
}

async fn install(bench: &Bench<'_>, work: &Install, until: Instant) -> Result<Proof, Failure> {
    let home = Home::open(&work.into)?;
    home.mend(until).await?;
    place(bench, &home, (&work.version, &work.artifact), until).await?;
    let former = home.current();
    switch(bench, &home, work, until).await?;
    if work.method == InstallKind::Command {
        let by = until - to_put_back(until);
        if let Err(failure) = run_installer(bench, &home, work, by).await {
            return Err(put_back(bench, &home, work, (former, failure), until).await);
        }
    }
    restart(bench, &home, work, (RESTART, until)).await?;
    prove::prove(bench, (&work.prove, home.path()), &work.version, until).await
}

/// Makes sure that the release lies unpacked in its folder: from the disk where it is there
/// already (the way back needs no network), else from its artifact.
pub(super) async fn place(
    bench: &Bench<'_>,
    home: &Home,
    (version, artifact): (&Version, &Artifact),
    until: Instant,
) -> Result<(), Failure> {
    match home.digest_of(version) {
        Some(digest) if digest == artifact.sha256 => return Ok(()),
        Some(digest) if home.current().as_ref() == Some(version) => {
            return Err(Failure::new(
                FailedBecause::WrongDigest,
                &format!(
                    "`{version}` runs here already, made from another artifact ({digest}); give \
                     the new build a version of its own",
                ),
            ));
        }
        Some(_) | None => {}
    }
    fetch::fetch(bench, home, artifact, until).await?;
    let draft = home.draft(version);
    let archive = home.fetched(&artifact.sha256);
    let limits = Limits {
        bytes: artifact.max_bytes.saturating_mul(Limits::GROWTH),
        until: until.into_std(),
    };
    let unpacked = tokio::task::spawn_blocking({
        let draft = draft.clone();
        move || {
            remove_all(&draft).map_err(|error| {
                crate::disk::failure("remove", &draft, &error, FailedBecause::ProgramFailed)
            })?;
            unpack::unpack(&archive, &draft, limits)
        }
    })
    .await
    .unwrap_or_else(|error| {
        let detail = format!("unpacking broke off: {error}");
        Err(Failure::new(FailedBecause::BadArchive, &detail))
    });
    if let Err(failure) = unpacked {
        // What was written takes room that the answer may need.
        let _stays = remove_all(&draft);
        return Err(failure);
    }
    home.adopt_draft(version, &artifact.sha256)
}

/// Stops the service, where the order says how, and switches. If that fails the former version is
/// started again, so that all is as it was.
async fn switch(
    bench: &Bench<'_>,
    home: &Home,
    work: &Install,
    until: Instant,
) -> Result<(), Failure> {
    // A quarter of the time stays for what comes after.
    let most = until
        .saturating_duration_since(Instant::now())
        .mul_f32(0.75);
    let end = Instant::now() + most;
    let stopped = if work.stop.is_empty() {
        Ok(())
    } else {
        stop(bench, home, work, end).await
    };
    let by = end.min(Instant::now() + SWITCH_WITHIN);
    let Err(failure) = home.switch_to(&work.version, by).await else {
        return Ok(());
    };
    let mut detail = failure.detail;
    if let Err(why) = stopped {
        detail = format!("{detail}; before, {}", why.detail);
    }
    if !work.stop.is_empty() {
        detail = match start_stopped(bench, home, work, until).await {
            Ok(()) => format!("{detail}; the former version was started again"),
            Err(worse) => format!("{detail}; nor is the former version back: {worse}"),
        };
    }
    Err(Failure::new(failure.reason, &detail))
}

/// What an installer leaves of its time to [`put_back`].
fn to_put_back(until: Instant) -> Duration {
    until
        .saturating_duration_since(Instant::now())
        .mul_f32(0.25)
        .min(SETTLE)
}

/// After an installer that failed: `current` is the former release again, and what was stopped is
/// started. What the installer has changed elsewhere stays, so nothing is proved by that; but a
/// service that nobody starts again would be the worse end.
async fn put_back(
    bench: &Bench<'_>,
    home: &Home,
    work: &Install,
    (former, failure): (Option<Version>, Failure),
    until: Instant,
) -> Failure {
    let mut detail = failure.detail;
    if let Some(former) = former.filter(|former| *former != work.version) {
        let by = until.min(Instant::now() + SWITCH_WITHIN);
        detail = match home.switch_to(&former, by).await {
            Ok(()) => format!("{detail}; `current` is `{former}` again"),
            Err(worse) => format!("{detail}; nor is `current` as before: {}", worse.detail),
        };
    }
    if !work.stop.is_empty() {
        detail = match start_stopped(bench, home, work, until).await {
            Ok(()) => format!("{detail}; the service was started again"),
            Err(worse) => format!("{detail}; the service is stopped: {worse}"),
        };
    }
    Failure::new(failure.reason, &detail)
}

/// Starts again what this installation has stopped; else why it stays stopped.
async fn start_stopped(
    bench: &Bench<'_>,
    home: &Home,
    work: &Install,
    until: Instant,
) -> Result<(), String> {
    if work.restart.is_empty() {
        return Err("no `restart` says how to start it".to_owned());
    }
    let started = restart(bench, home, work, (RESTART, until)).await;
    started.map_err(|failure| failure.detail)
}

async fn stop(
    bench: &Bench<'_>,
    home: &Home,
    work: &Install,
    until: Instant,
) -> Result<(), Failure> {
    let program = Program {
        argv: &work.stop,
        folder: home.path(),
        environment: BTreeMap::new(),
        mark: &bench.mark(STOP),
        output: &bench.output_path(),
    };
    succeed("the stop", bench, &program, until).await
}

async fn run_installer(
    bench: &Bench<'_>,
    home: &Home,
    work: &Install,
    until: Instant,
) -> Result<(), Failure> {
    let previous = bench.previous.as_ref();
    let artifact = home.fetched(&work.artifact.sha256);
    let environment = BTreeMap::from([
        ("VERSION".to_owned(), work.version.to_string()),
        ("ARTIFACT".to_owned(), artifact.display().to_string()),
        (
            "PREVIOUS".to_owned(),
            previous
                .map(|release| release.version.to_string())
                .unwrap_or_default(),
        ),
    ]);
    let program = Program {
        argv: &work.argv,
        folder: &home.release(&work.version),
        environment,
        mark: &bench.mark(INSTALLER),
        output: &bench.output_path(),
    };
    succeed("the installer", bench, &program, until).await
}

/// Restarts the service, where the order says how; under a mark, so that it happens once.
pub(super) async fn restart(
    bench: &Bench<'_>,
    home: &Home,
    work: &Install,
    (mark, until): (&str, Instant),
) -> Result<(), Failure> {
    if work.restart.is_empty() {
        return Ok(());
    }
    let program = Program {
        argv: &work.restart,
        folder: home.path(),
        environment: BTreeMap::new(),
        mark: &bench.mark(mark),
        output: &bench.output_path(),
    };
    succeed("the restart", bench, &program, until).await
}

async fn succeed(
    what: &str,
    bench: &Bench<'_>,
    program: &Program<'_>,
    until: Instant,
) -> Result<(), Failure> {
    let status = program::run(&bench.tools.launcher, program, until).await?;
    if status.success() {
        return Ok(());
    }
    Err(Failure::new(
        FailedBecause::ProgramFailed,
        &format!("{what} {}", program::describe(status)),
    ))
}

/// How long a service may take to prove itself after a crash of the agent, beyond the end of what
/// had been started.
pub(super) const SETTLE: Duration = Duration::from_secs(10);

/// The release that an installation leads to.
pub(super) fn release_of(work: &Install) -> Release {
    Release {
        version: work.version.clone(),
        sha256: work.artifact.sha256,
    }
}
