//! From `main` to the exit code.

use std::future::Future;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use serde::de::DeserializeOwned;
use tokio::sync::watch;

use crate::{logs, settings::settings};

/// Exit code of a process that failed, or did not end in its time.
pub const FAILED: u8 = 1;

/// Exit code of a process whose settings cannot be used.
pub const BAD_SETTINGS: u8 = 2;

/// How long a process may take to end after it was asked to.
const END_WITHIN: Duration = Duration::from_secs(20);

/// Runs a process: reads its settings, starts logs and runtime, and runs `main` until it returns.
///
/// On SIGTERM or Ctrl-C the receiver that `main` was given turns true; `main` then has 20 seconds
/// to end what it does. A second signal ends the process at once.
///
/// Exit codes: 0 when `main` returned `Ok`, [`FAILED`], [`BAD_SETTINGS`]. What is wrong is written
/// to stderr once.
pub fn run<S, M, F>(process: &str, file: Option<&Path>, main: M) -> ExitCode
where
    S: DeserializeOwned,
    M: FnOnce(S, watch::Receiver<bool>) -> F,
    F: Future<Output = anyhow::Result<()>>,
{
    logs::init();
    let settings = match settings(file) {
        Ok(settings) => settings,
        Err(error) => {
            tracing::error!(process, "{error}");
            return ExitCode::from(BAD_SETTINGS);
        }
    };
    match on_runtime(settings, main) {
        Ok(()) => {
            tracing::info!(process, "ended");
            ExitCode::SUCCESS
        }
        Err(error) => {
            tracing::error!(process, "{error:#}");
            ExitCode::from(FAILED)
        }
    }
}

fn on_runtime<S, M, F>(settings: S, main: M) -> anyhow::Result<()>
where
    M: FnOnce(S, watch::Receiver<bool>) -> F,
    F: Future<Output = anyhow::Result<()>>,
{
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("the runtime cannot start")?;
    let (shutdown, asked) = watch::channel(false);
    let ended = runtime.block_on(async {
        let mut signals = Signals::new()?;
        let mut work = std::pin::pin!(main(settings, asked));
        tokio::select! {
            ended = &mut work => return ended,
            () = signals.next() => {}
        }
        tracing::info!(within_s = END_WITHIN.as_secs(), "asked to end");
        shutdown.send_replace(true);
        tokio::select! {
            ended = tokio::time::timeout(END_WITHIN, work) => ended.with_context(|| {
                format!("did not end within {} s, killed", END_WITHIN.as_secs())
            })?,
            () = signals.next() => anyhow::bail!("asked to end twice, killed"),
        }
    });
    // A blocking call of a task that was given up must not keep the process.
    runtime.shutdown_background();
    ended
}

#[cfg(unix)]
struct Signals {
    terminate: tokio::signal::unix::Signal,
    interrupt: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn new() -> anyhow::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self {
            terminate: signal(SignalKind::terminate()).context("cannot listen to SIGTERM")?,
            interrupt: signal(SignalKind::interrupt()).context("cannot listen to SIGINT")?,
        })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    fn new() -> anyhow::Result<Self> {
        Ok(Self)
    }

    async fn next(&mut self) {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
