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
        Self::with(bus, Settings::default())
    }

    /// One that reads counters of `lb1` there.
    pub(crate) fn reading(bus: &bus::Bus, socket: &str) -> Self {
        let lb1 = ("lb1".parse().unwrap(), socket.to_owned());
        let settings = Settings {
            stats_sockets: [lb1].into(),
            ..Settings::default()
        };
        Self::with(bus, settings)
    }

    fn with(bus: &bus::Bus, settings: Settings) -> Self {
        let (stop, shutdown) = watch::channel(false);
        let task = tokio::spawn(run(settings, bus.clone(), shutdown));
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
