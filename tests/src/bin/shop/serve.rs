//! The shop's process: its port, its connections, its end.

use crate::counter::Counter;
use anyhow::{Context, Result};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use hyper_util::server::graceful::GracefulShutdown;
use poolshift_tests::shop::{Claim, Home};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::{interval, timeout};

/// How long requests in flight may take at the end.
const LAST_REQUESTS: Duration = Duration::from_secs(10);

/// How often it looks whether its home is still there. A stage that is torn down in the middle of a
/// restart cannot find this process; so it goes when its home goes.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Serves until SIGTERM, or until its home is gone; then accepts nothing more, ends the requests in flight, and returns.
pub(crate) async fn run(home: &Home, detach: bool) -> Result<()> {
    if detach {
        rustix::process::setsid().context("cannot leave the caller's session")?;
    }
    let mut end = signal(SignalKind::terminate()).context("cannot listen for SIGTERM")?;
    let settings = home.settings()?;
    let release = home.release()?;
    let mut claim = Claim::take(home).await?;
    let listener = TcpListener::bind(settings.listen)
        .await
        .with_context(|| format!("cannot listen on {}", settings.listen))?;
    let counter = Arc::new(Counter::open(settings, release)?);
    claim.listening()?;
    let open = GracefulShutdown::new();
    let mut look = interval(LOOK_EVERY);
    loop {
        tokio::select! {
            _ = end.recv() => break,
            _ = look.tick() => {
                if !home.folder().is_dir() {
                    break;
                }
            }
            taken = listener.accept() => {
                // A connection that failed before it was taken is its sender's affair.
                if let Ok((stream, _)) = taken {
                    attend(stream, &counter, &open);
                }
            }
        }
    }
    drop(listener);
    timeout(LAST_REQUESTS, open.shutdown())
        .await
        .context("requests in flight did not end in time: they are cut")
}

fn attend(stream: TcpStream, counter: &Arc<Counter>, open: &GracefulShutdown) {
    // Only costs some delay where it cannot be had.
    drop(stream.set_nodelay(true));
    let counter = Arc::clone(counter);
    let answer = service_fn(move |request| {
        let counter = Arc::clone(&counter);
        async move { counter.serve(request).await }
    });
    let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), answer);
    let watched = open.watch(connection);
    tokio::spawn(async move {
        // A customer who goes away in the middle is no fault of the shop.
        drop(watched.await);
    });
}
