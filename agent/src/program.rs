//! Running the programs of others: argument lists only, never a shell; in their own process
//! group, with a cleaned environment, their output in a file, so that they outlive the agent and
//! the next life finds them.
//!
//! The agent starts itself as a launcher (`poolshift-agent exec`). The launcher first puts its
//! process number into a mark, then becomes the program; where a process cannot do that, it is
//! the program's other name: it ends when and as the program does, and the program with it. A mark can be made only once, by the
//! launcher or by a recovering agent: so it is always known whether a program ever began, and
//! which process it is.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use events::{FailedBecause, Failure};
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use crate::platform;

/// Output beyond this is dropped from its beginning.
pub(crate) const OUTPUT_BYTES_MAX: u64 = 16 * 1024 * 1024;
/// What the launcher ends with when the program cannot be started; shells use the same.
const NOT_STARTED: u8 = 127;
/// What the launcher ends with when there is no room for its mark.
const NO_ROOM: u8 = 126;

/// How often output is looked at, and orphans are.
const LOOK: Duration = Duration::from_millis(100);
/// How long a killed process may take to be gone.
const GONE_WITHIN: Duration = Duration::from_secs(5);

/// A program to run.
#[derive(Debug)]
pub(crate) struct Program<'a> {
    /// The program and its arguments.
    pub(crate) argv: &'a [String],
    /// Where it runs.
    pub(crate) folder: &'a Path,
    /// What it gets beside the few variables that every program gets.
    pub(crate) environment: BTreeMap<String, String>,
    /// Its mark.
    pub(crate) mark: &'a Path,
    /// The file that its output goes to, appended.
    pub(crate) output: &'a Path,
}

/// Runs a program to its end, or ends it and its group at `until`.
pub(crate) async fn run(
    launcher: &Path,
    program: &Program<'_>,
    until: Instant,
) -> Result<ExitStatus, Failure> {
    let name = program.argv.first().map_or("", String::as_str);
    let not_started = |error: &std::io::Error| {
        let doing = format!("start `{name}` in");
        crate::disk::failure(&doing, program.folder, error, FailedBecause::ProgramFailed)
    };
    let mut child = command(launcher, program)
        .and_then(|mut command| command.spawn())
        .map_err(|error| not_started(&error))?;
    let process = child.id().and_then(|pid| Some((pid, platform::born(pid)?)));
    loop {
        tokio::select! {
            ended = child.wait() => {
                let status = ended.map_err(|error| not_started(&error))?;
                return had_room(status, program);
            }
            () = tokio::time::sleep_until(until) => break,
            () = tokio::time::sleep(LOOK) => bound(program.output),
        }
    }
    if let Some((pid, born)) = &process {
        platform::end_group(*pid, born);
    }
    let _reaped = tokio::time::timeout(GONE_WITHIN, child.wait()).await;
    Err(Failure::new(
        FailedBecause::TimedOut,
        &format!("`{name}` did not end in its time and was ended"),
    ))
}

fn had_room(status: ExitStatus, program: &Program<'_>) -> Result<ExitStatus, Failure> {
    if status.code() == Some(i32::from(NO_ROOM)) && !program.mark.exists() {
        return Err(Failure::new(
            FailedBecause::DiskFull,
            "there is no room on the disk to start a program",
        ));
    }
    Ok(status)
}

fn command(launcher: &Path, program: &Program<'_>) -> std::io::Result<tokio::process::Command> {
    let output = OpenOptions::new()
        .create(true)
        .append(true)
        .open(program.output)?;
    let mut command = tokio::process::Command::new(launcher);
    command
        .arg("exec")
        .arg(program.mark)
        .arg("--")
        .args(program.argv)
        .current_dir(program.folder)
        .env_clear()
        .envs(kept_environment())
        .envs(&program.environment)
        .stdin(Stdio::null())
        .stdout(output.try_clone()?)
        .stderr(output);
    platform::keep_apart(&mut command);
    Ok(command)
}

fn kept_environment() -> impl Iterator<Item = (String, String)> {
    let kept = platform::KEPT_ENVIRONMENT.iter();
    kept.filter_map(|name| Some(((*name).to_owned(), std::env::var(name).ok()?)))
}

/// Programs append, so a file cut to nothing just starts anew.
fn bound(output: &Path) {
    let is_over = std::fs::metadata(output).is_ok_and(|found| found.len() > OUTPUT_BYTES_MAX);
    // Not every system lets a file be cut through a handle that only appends.
    if is_over && let Ok(file) = OpenOptions::new().write(true).open(output) {
        let _cut = file.set_len(0);
        if let Ok(mut file) = OpenOptions::new().append(true).open(output) {
            let _said = file.write_all(b"[earlier output was dropped]\n");
        }
    }
}

/// What an exit means for people.
pub(crate) fn describe(status: ExitStatus) -> String {
    match status.code() {
        Some(code) if code == i32::from(NOT_STARTED) => {
            "could not be started, or ended with exit code 127".to_owned()
        }
        // A crash, on systems that have codes for them.
        Some(code) if code < 0 => format!("ended with exit code {code:#010x}"),
        Some(code) => format!("ended with exit code {code}"),
        None => format!("was ended: {status}"),
    }
}

/// The process that a mark names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Mark {
    pid: u32,
    born: platform::Born,
}

/// What became of a program that a former life of the agent may have started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Former {
    /// It never began, and now never will.
    NeverBegan,
    /// It began and has ended; how is not known.
    Ended,
    /// It still runs.
    Runs(Orphan),
}

/// A program that outlived the agent that started it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Orphan(Mark);

impl Orphan {
    /// Waits for its end; false when it still runs at `until`.
    pub(crate) async fn ended_by(&self, until: Instant) -> bool {
        while platform::is_alive(self.0.pid, &self.0.born) {
            if Instant::now() >= until {
                return false;
            }
            tokio::time::sleep(LOOK).await;
        }
        true
    }

    /// Ends it and its group.
    pub(crate) async fn end(&self) {
        platform::end_group(self.0.pid, &self.0.born);
        let _gone = self.ended_by(Instant::now() + GONE_WITHIN).await;
    }
}

/// Finds out what became of the program of this mark; one that has not begun never will.
pub(crate) fn former(mark: &Path) -> std::io::Result<Former> {
    if make_mark(mark, &[])? {
        return Ok(Former::NeverBegan);
    }
    // An empty mark is one that a recovery made; anything else was written whole.
    let bytes = std::fs::read(mark)?;
    if bytes.is_empty() {
        return Ok(Former::NeverBegan);
    }
    let found: Option<Mark> = serde_json::from_slice(&bytes).ok();
    Ok(match found {
        Some(mark) if platform::is_alive(mark.pid, &mark.born) => Former::Runs(Orphan(mark)),
        Some(_) | None => Former::Ended,
    })
}

/// The launcher: makes the mark and becomes the program. Returns only when it cannot, with its exit
/// code and what a person needs to know.
#[must_use]
pub(crate) fn launch(mark: &Path, argv: &[String]) -> (u8, String) {
    match try_launch(mark, argv) {
        Ok(never) => match never {},
        Err((is_full, why)) if is_full => (NO_ROOM, why),
        Err((_, why)) => (NOT_STARTED, why),
    }
}

fn try_launch(mark: &Path, argv: &[String]) -> Result<Infallible, (bool, String)> {
    let wrong = |why: String| Err((false, why));
    let Some((program, arguments)) = argv.split_first() else {
        return wrong("the argument list is empty".to_owned());
    };
    let group = match platform::lead_own_group() {
        Ok(group) => group,
        Err(error) => return wrong(format!("cannot lead a process group: {error}")),
    };
    let Some((pid, born)) = platform::own() else {
        return wrong("cannot read the start of this process".to_owned());
    };
    let bytes = serde_json::to_vec(&Mark { pid, born }).unwrap_or_default();
    match make_mark(mark, &bytes) {
        Ok(true) => {}
        Ok(false) => return wrong(format!("{} is there already", mark.display())),
        Err(error) => {
            let why = format!("cannot write {}: {error}", mark.display());
            return Err((crate::disk::is_full(&error), why));
        }
    }
    let error = platform::become_program(program, arguments, &group);
    wrong(format!("cannot start `{program}`: {error}"))
}

/// Makes a mark whole and durable; false when there is one already.
fn make_mark(mark: &Path, bytes: &[u8]) -> std::io::Result<bool> {
    let mut draft = mark.as_os_str().to_owned();
    draft.push(format!(".{}", std::process::id()));
    let draft = PathBuf::from(draft);
    let mut file = File::create(&draft)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    drop(file);
    let linked = std::fs::hard_link(&draft, mark);
    let _gone = std::fs::remove_file(&draft);
    match linked {
        Ok(()) => {
            platform::sync_folder(mark.parent().unwrap_or(Path::new(".")))?;
            Ok(true)
        }
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(error),
    }
}
