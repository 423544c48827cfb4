//! A real HAProxy with two servers behind it, and a bus on a file.

pub(crate) mod answers;
pub(crate) mod haproxy;
pub(crate) mod orders;
pub(crate) mod scene;

use std::time::Duration;

use poolshift_health_checker::{Settings, run};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// The longest that any wait of a test may take.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// A health-checker at work, until it is stopped.
pub(crate) struct Checker {
    stop: watch::Sender<bool>,
    task: JoinHandle<anyhow::Result<()>>,
}

impl Checker {
    pub(crate) fn start(bus: &bus::Bus) -> Self {
        let (stop, shutdown) = watch::channel(false);
        let task = tokio::spawn(run(Settings::default(), bus.clone(), shutdown));
        Self { stop, task }
    }

    pub(crate) async fn stop(self) {
        self.stop.send(true).unwrap();
        tokio::time::timeout(PATIENCE, self.task)
            .await
            .unwrap()
            .unwrap()
            .unwrap();
    }
}
