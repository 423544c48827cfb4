//! Starting and stopping the shop's process: the stage's service manager.
//!
//! A process of the shop keeps a lock on its pid file while it lives. So nobody has to guess from a
//! number whether it still runs: the number may be a dead child that nobody has reaped, or by now
//! another process.

use super::Home;
use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, kill_process};
use std::fs::{self, File, TryLockError};
use std::io::{Seek, SeekFrom, Write};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// No event tells that a lock was let go, and a blocked wait for it could not be given up.
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// The running process's hold on its home.
#[derive(Debug)]
pub struct Claim(File);

impl Claim {
    /// Takes the home for this process. Whoever looks whether a shop runs here holds the lock for
    /// a moment, so this tries for a second.
    ///
    /// # Errors
    /// When another process of the shop runs there.
    pub async fn take(home: &Home) -> Result<Self> {
        let file = open(home)?;
        let until = Instant::now() + Duration::from_secs(1);
        while let Err(error) = file.try_lock() {
            if Instant::now() > until {
                bail!(
                    "a shop runs in {} already ({error}): stop it",
                    home.folder().display()
                );
            }
            sleep(LOOK_EVERY).await;
        }
        file.set_len(0).context("cannot empty the pid file")?;
        Ok(Self(file))
    }

    /// Says that the process accepts connections now, by writing its number.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn listening(&mut self) -> Result<()> {
        let text = std::process::id().to_string();
        self.0
            .seek(SeekFrom::Start(0))
            .context("cannot write the pid file")?;
        self.0
            .write_all(text.as_bytes())
            .context("cannot write the pid file")
    }
}

/// Stops what runs in this home, if anything, and starts `program` there, which outlives the
/// caller. Returns the new process id once it accepts connections (it may not be ready yet).
///
/// # Errors
/// When the old process cannot be ended or the new one does not come up within `deadline` each;
/// says what the new one left in its log.
pub async fn restart(program: &Path, home: &Home, deadline: Duration) -> Result<u32> {
    home.note_restart()?;
    stop(home, deadline).await?;
    let mut child = Starting(Some(spawn(program, home)?));
    let until = Instant::now() + deadline;
    loop {
        if let Some(pid) = child.listens(home)? {
            return Ok(pid);
        }
        if let Some(status) = child.ended().context("cannot look after the shop")? {
            let log = fs::read_to_string(home.log_file()).unwrap_or_default();
            let last = log.lines().last().unwrap_or("it left no word");
            bail!(
                "the shop in {} ended at once ({status}): {last}",
                home.folder().display()
            );
        }
        if Instant::now() > until {
            bail!(
                "the shop in {} does not listen in time",
                home.folder().display()
            );
        }
        sleep(LOOK_EVERY).await;
    }
}

/// A process that does not listen yet, and that nobody else could find and end: it does not outlive
/// whoever waits for it.
struct Starting(Option<Child>);

impl Starting {
    /// Its number once it listens; it lives on from then.
    fn listens(&mut self, home: &Home) -> Result<Option<u32>> {
        let named = named(home)?;
        let own = self.0.as_ref().map(Child::id);
        if own.is_none() || named != own {
            return Ok(None);
        }
        self.0 = None;
        Ok(own)
    }

    fn ended(&mut self) -> std::io::Result<Option<ExitStatus>> {
        self.0.as_mut().map_or(Ok(None), Child::try_wait)
    }
}

impl Drop for Starting {
    fn drop(&mut self) {
        if let Some(child) = &mut self.0 {
            // It may have ended by itself.
            let _ = child.kill();
        }
    }
}

/// Ends what runs in this home: politely, and after `deadline` by force.
///
/// # Errors
/// When it runs even then.
pub async fn stop(home: &Home, deadline: Duration) -> Result<()> {
    for signal in [Signal::TERM, Signal::KILL] {
        let until = Instant::now() + deadline;
        let mut told = None;
        // One look is enough: in the next one, a process that is just being started elsewhere may
        // share the lock of the first for a moment, between its fork and its exec.
        loop {
            if !is_claimed(home)? {
                return Ok(());
            }
            let pid = running(home)?;
            if pid.is_some() && pid != told {
                send(pid, signal);
                told = pid;
            }
            if Instant::now() > until {
                break;
            }
            sleep(LOOK_EVERY).await;
        }
    }
    bail!(
        "the shop in {} does not end: end it by hand",
        home.folder().display()
    );
}

/// Ends what runs in this home by force and without waiting, for those who cannot wait.
pub fn kill(home: &Home) {
    if let Ok(pid) = running(home) {
        send(pid, Signal::KILL);
    }
}

/// The process that accepts connections for this home, if there is one.
///
/// # Errors
/// When the disk refuses.
pub fn running(home: &Home) -> Result<Option<u32>> {
    if is_claimed(home)? {
        named(home)
    } else {
        Ok(None)
    }
}

/// The process that the pid file names, alive or not.
fn named(home: &Home) -> Result<Option<u32>> {
    let text = fs::read_to_string(home.pid_file()).context("cannot read the pid file")?;
    Ok(text.trim().parse().ok())
}

fn spawn(program: &Path, home: &Home) -> Result<Child> {
    let log = File::options()
        .create(true)
        .append(true)
        .open(home.log_file())
        .with_context(|| format!("cannot open {}", home.log_file().display()))?;
    Command::new(program)
        .args(["serve", "--detach", "--home"])
        .arg(home.folder())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(log)
        .spawn()
        .with_context(|| format!("cannot start {}", program.display()))
}

fn is_claimed(home: &Home) -> Result<bool> {
    match open(home)?.try_lock() {
        Ok(()) => Ok(false),
        Err(TryLockError::WouldBlock) => Ok(true),
        Err(TryLockError::Error(error)) => {
            Err(error).with_context(|| format!("cannot lock {}", home.pid_file().display()))
        }
    }
}

fn open(home: &Home) -> Result<File> {
    let path = home.pid_file();
    File::options()
        .create(true)
        .truncate(false)
        .read(true)
        .write(true)
        .open(&path)
        .with_context(|| format!("cannot open {}", path.display()))
}

/// A process that has gone meanwhile is what the sender wanted.
fn send(pid: Option<u32>, signal: Signal) {
    if let Some(pid) = pid
        .and_then(|pid| i32::try_from(pid).ok())
        .and_then(Pid::from_raw)
    {
        let _ = kill_process(pid, signal);
    }
}
