//! `Test`: the suites against one server in the maintenance pool. The exit code alone never
//! passes; a suite must leave results, and the right server must have answered before and after.

use std::collections::BTreeMap;
use std::io::{ErrorKind, Read as _};
use std::path::{Component, Path, PathBuf};
use std::time::Duration;

use events::{
    Answer, AnsweredBy, FailedBecause, FailedCase, Failure, Suite, SuiteResult, Test, TestsFailed,
    TestsPassed, cut,
};
use tokio::time::Instant;

use super::{Bench, install, who};
use crate::mask::Masks;
use crate::program::{self, Program};
use crate::releases::Home;
use crate::results::{self, Results};

/// All failed cases of an answer together, so that its record stays below 64 KiB with its output.
const CASES_BYTES_MAX: usize = 40 * 1024;

pub(super) fn mark_of(index: usize) -> String {
    format!("suite-{index}")
}

pub(super) async fn answer(bench: &Bench<'_>, work: &Test, until: Instant) -> Answer {
    let masks = bench.tools.masks.with(secret_values(work));
    let mut answered_by = AnsweredBy::default();
    let mut suites = Vec::new();
    let verdict = run_all(bench, work, until, &mut answered_by, &mut suites).await;
    mask_cases(&mut suites, &masks);
    let output = crate::output::collect(&bench.output_path(), &masks);
    let command = bench.command.id.clone();
    match verdict {
        Ok(()) => Answer::from(TestsPassed {
            command,
            suites,
            answered_by,
            output,
        }),
        Err(failure) => Answer::from(TestsFailed {
            command,
            failure: Failure::new(failure.reason, &masks.text(&failure.detail)),
            suites,
            answered_by,
            output,
        }),
    }
}

/// Values of the variables that suites may see: a suite may print them.
fn secret_values(work: &Test) -> impl Iterator<Item = String> {
    let names = work.suites.iter().flat_map(|suite| &suite.env_names);
    names.filter_map(|name| std::env::var(name).ok())
}

async fn run_all(
    bench: &Bench<'_>,
    work: &Test,
    until: Instant,
    answered_by: &mut AnsweredBy,
    suites: &mut Vec<SuiteResult>,
) -> Result<(), Failure> {
    let folder = folder(bench, work, until).await?;
    if work.suites.is_empty() {
        let none = "the command names no suite";
        return Err(Failure::new(FailedBecause::NoResults, none));
    }
    *answered_by = who::answers(bench, work).await?;
    let mut first_failure = None;
    for (index, suite) in work.suites.iter().enumerate() {
        if Instant::now() >= until {
            let late = format!("no time was left for suite `{}`", suite.name);
            first_failure.get_or_insert(Failure::new(FailedBecause::TimedOut, &late));
            break;
        }
        let (result, verdict) = run_one(bench, work, (index, suite), &folder, until).await;
        suites.push(SuiteResult {
            tests_sha256: work.tests.as_ref().map(|tests| tests.sha256),
            ..result
        });
        if let Err(failure) = verdict {
            let detail = format!("suite `{}`: {}", suite.name, failure.detail);
            first_failure.get_or_insert(Failure::new(failure.reason, &detail));
        }
    }
    let after = who::answers(bench, work).await;
    match first_failure {
        Some(failure) => Err(failure),
        None => after.map(|_| ()),
    }
}

/// Where the suites lie: in the artifact itself, or in the package that came with it, which is
/// fetched again where it has been removed since.
async fn folder(bench: &Bench<'_>, work: &Test, until: Instant) -> Result<PathBuf, Failure> {
    let home = Home::open(&work.into)?;
    let Some(tests) = &work.tests else {
        return Ok(home.current_path());
    };
    let Some(version) = &work.expect.version else {
        let none = "the command names a package of tests, but no version that it belongs to";
        return Err(Failure::new(FailedBecause::NoResults, none));
    };
    let packages = home.tests()?;
    install::place(bench, &packages, (version, tests), until).await?;
    Ok(packages.release(version))
}

async fn run_one(
    bench: &Bench<'_>,
    work: &Test,
    (index, suite): (usize, &Suite),
    folder: &Path,
    until: Instant,
) -> (SuiteResult, Result<(), Failure>) {
    let nothing = SuiteResult {
        name: suite.name.clone(),
        tests_sha256: None,
        results_sha256: None,
        format: String::new(),
        total: 0,
        passed: 0,
        failed: 0,
        skipped: 0,
        not_run: 0,
        cases: Vec::new(),
    };
    let file = match results_path(folder, &suite.results) {
        Ok(file) => file,
        Err(failure) => return (nothing, Err(failure)),
    };
    let program = Program {
        argv: &suite.argv,
        folder,
        environment: environment(work, suite),
        mark: &bench.mark(&mark_of(index)),
        output: &bench.output_path(),
    };
    let until = until.min(Instant::now() + Duration::from_millis(suite.timeout_ms));
    let ended = program::run(&bench.tools.launcher, &program, until).await;
    match (ended, read_results(&file)) {
        (Err(failure), Ok(results)) => (results.suite(&suite.name), Err(failure)),
        (Err(failure), Err(_)) => (nothing, Err(failure)),
        (Ok(status), Err(failure)) => {
            let detail = format!(
                "{}; the program {}",
                failure.detail,
                program::describe(status)
            );
            (nothing, Err(Failure::new(failure.reason, &detail)))
        }
        (Ok(status), Ok(results)) => {
            let verdict = results.judge(suite.at_least).and_then(|()| {
                if status.success() {
                    return Ok(());
                }
                let passed = results.passed;
                let how = program::describe(status);
                Err(Failure::new(
                    FailedBecause::ProgramFailed,
                    &format!("all {passed} tests passed, but the program {how}"),
                ))
            });
            (results.suite(&suite.name), verdict)
        }
    }
}

/// Where the results will be; the file that an earlier run left there is removed.
fn results_path(folder: &Path, results: &str) -> Result<PathBuf, Failure> {
    let is_inside = Path::new(results)
        .components()
        .all(|part| matches!(part, Component::Normal(_) | Component::CurDir));
    let wrong = |detail: String| Failure::new(FailedBecause::NoResults, &detail);
    if !is_inside || results.is_empty() {
        return Err(wrong(format!(
            "`results` is `{results}`; write a path below the release's folder"
        )));
    }
    let file = folder.join(results);
    match std::fs::remove_file(&file) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(wrong(format!("cannot remove the old {results}: {error}")))
        }
        Ok(()) | Err(_) => Ok(file),
    }
}

fn read_results(file: &Path) -> Result<Results, Failure> {
    let no_results = |detail: &str| Failure::new(FailedBecause::NoResults, detail);
    let name = file.file_name().unwrap_or_default().display();
    // Reading a pipe could wait for ever.
    if std::fs::metadata(file).is_ok_and(|found| !found.is_file()) {
        return Err(no_results(&format!("{name} is no file")));
    }
    let mut bytes = Vec::new();
    let read = std::fs::File::open(file).and_then(|file| {
        file.take(results::RESULTS_BYTES_MAX + 1)
            .read_to_end(&mut bytes)
    });
    read.map_err(|error| no_results(&format!("no results in {name}: {error}")))?;
    results::verdict(&bytes).map_err(|error| no_results(&format!("{name}: {error}")))
}

fn environment(work: &Test, suite: &Suite) -> BTreeMap<String, String> {
    let expect = &work.expect;
    let version = expect.version.as_ref();
    let allowed = suite.env_names.iter();
    allowed
        .filter_map(|name| Some((name.clone(), std::env::var(name).ok()?)))
        .chain([
            ("TARGET_URL".to_owned(), work.url.clone()),
            (
                "TARGET_HEADER".to_owned(),
                format!("{}: {}", work.header, expect.server),
            ),
            ("EXPECT_SERVER".to_owned(), expect.server.clone()),
            (
                "EXPECT_VERSION".to_owned(),
                version.map(ToString::to_string).unwrap_or_default(),
            ),
        ])
        .collect()
}

fn mask_cases(suites: &mut [SuiteResult], masks: &Masks) {
    let mut room = CASES_BYTES_MAX;
    for suite in suites {
        let cases = std::mem::take(&mut suite.cases);
        suite.cases = cases
            .into_iter()
            .map(|case| FailedCase {
                name: cut(&masks.text(&case.name), Results::MESSAGE_BYTES_MAX),
                message: cut(&masks.text(&case.message), Results::MESSAGE_BYTES_MAX),
            })
            .take_while(|case| {
                let bytes = case.name.len() + case.message.len();
                let fits = bytes <= room;
                room = room.saturating_sub(bytes);
                fits
            })
            .collect();
    }
}
