//! Real brokers of Kafka, which die with whoever started them.
//!
//! Nothing here waits in a runtime, so that one cluster can outlive the runtimes of many tests.

mod broker;
mod install;
mod secured;

use anyhow::{Context, Result, ensure};
use broker::Broker;
use std::fs;
use std::path::PathBuf;
use std::thread;

pub use install::{Jars, ensure_installed};
pub use secured::Allowed;

/// What a cluster is like.
#[derive(Debug, Clone)]
pub struct Layout {
    /// Where its files lie; made if it is not there.
    pub folder: PathBuf,
    /// How many brokers, each of which is a controller, too.
    pub brokers: usize,
    /// More lines for `server.properties`, each over those that are there.
    pub properties: Vec<(String, String)>,
    /// Names and passwords of those who may come, by SCRAM-SHA-512; empty: anybody.
    pub users: Vec<(String, String)>,
}

impl Layout {
    /// Brokers that ask nobody who they are.
    #[must_use]
    pub fn plain(folder: PathBuf, brokers: usize) -> Self {
        Self {
            folder,
            brokers,
            properties: Vec::new(),
            users: Vec::new(),
        }
    }
}

/// A running cluster; its brokers are killed when this is dropped, and when its process dies.
#[derive(Debug)]
pub struct Cluster {
    brokers: Vec<Broker>,
    jars: Jars,
}

impl Cluster {
    /// Starts all brokers, and returns when each of them serves. Blocks.
    ///
    /// # Errors
    /// When a broker does not start; its last words are told.
    pub fn start(jars: &Jars, layout: &Layout) -> Result<Self> {
        ensure!(layout.brokers > 0, "a cluster of no broker");
        fs::create_dir_all(&layout.folder)
            .with_context(|| format!("cannot make {}", layout.folder.display()))?;
        let ports = crate::ports::free(layout.brokers * 2)?;
        let ports: Vec<(u16, u16)> = ports.chunks_exact(2).map(|two| (two[0], two[1])).collect();
        let mut brokers = Vec::new();
        for number in 0..layout.brokers {
            brokers.push(Broker::new(jars, layout, number, &ports)?);
        }
        // Together: a controller serves only when most of them are there.
        thread::scope(|scope| {
            let starting: Vec<_> = brokers
                .iter_mut()
                .map(|broker| scope.spawn(|| broker.start()))
                .collect();
            starting
                .into_iter()
                .try_for_each(|started| match started.join() {
                    Ok(started) => started,
                    Err(_panic) => anyhow::bail!("a broker's thread broke off"),
                })
        })?;
        Ok(Self {
            brokers,
            jars: jars.clone(),
        })
    }

    /// The addresses of all brokers, as clients take them.
    #[must_use]
    pub fn addresses(&self) -> String {
        let addresses: Vec<String> = self.brokers.iter().map(Broker::address).collect();
        addresses.join(",")
    }

    /// `kill -9` of a broker; the first is 0.
    ///
    /// # Errors
    /// When there is no such broker, or it does not run.
    pub fn kill(&mut self, number: usize) -> Result<()> {
        self.broker(number)?.kill()
    }

    /// Starts a killed broker again with what lies on its disk, and returns when it serves. Blocks.
    ///
    /// # Errors
    /// When there is no such broker, it runs, or does not start.
    pub fn start_again(&mut self, number: usize) -> Result<()> {
        self.broker(number)?.start()
    }

    fn broker(&mut self, number: usize) -> Result<&mut Broker> {
        self.brokers
            .get_mut(number)
            .with_context(|| format!("there is no broker {number}"))
    }
}
