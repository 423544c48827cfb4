//! Leaving by the front door: what was started ends when its owner is dropped, which a signal alone
//! would not bring about.

use anyhow::{Context, Result, bail};
use std::future::Future;
use tokio::signal::unix::{SignalKind, signal};

/// Does the work, unless Ctrl-C or SIGTERM comes first: then all that it holds is dropped.
pub(crate) async fn unless_interrupted(work: impl Future<Output = Result<()>>) -> Result<()> {
    let mut interrupt = signal(SignalKind::interrupt()).context("cannot listen for Ctrl-C")?;
    let mut terminate = signal(SignalKind::terminate()).context("cannot listen for SIGTERM")?;
    tokio::select! {
        done = work => done,
        _ = interrupt.recv() => bail!("interrupted: all processes of the stage were ended"),
        _ = terminate.recv() => bail!("asked to end: all processes of the stage were ended"),
    }
}
