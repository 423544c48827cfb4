//! The shop's servers and the HAProxies before them: what is there with or without Poolshift.

use crate::customers::{Customers, Load};
use crate::fleet::Fleet;
use crate::haproxy::{Haproxy, Layout, ensure_installed};
use crate::ports;
use crate::shop::Release;
use anyhow::Result;
use std::net::SocketAddr;
use std::path::Path;

/// The balancers' names.
pub const BALANCERS: [&str; 2] = ["lb1", "lb2"];

/// Servers behind two HAProxies, in one folder; all of it ends when this is dropped.
#[derive(Debug)]
pub struct Stage {
    /// Before the fleet: what is dropped first is killed first, and customers come through here.
    pub balancers: Vec<Haproxy>,
    /// The servers.
    pub fleet: Fleet,
}

impl Stage {
    /// Installs HAProxy if it is missing, and starts all in `root` with this release; returns when
    /// every HAProxy has found every server UP. `shop` is the shop's program.
    ///
    /// # Errors
    /// When one of them does not start.
    pub async fn set(shop: &Path, root: &Path, servers: usize, release: &Release) -> Result<Self> {
        ensure_installed().await?;
        let fleet = Fleet::start(shop, root, servers, release).await?;
        let mut stage = Self {
            balancers: vec![],
            fleet,
        };
        let doors = ports::free(2 * BALANCERS.len())?;
        for (name, pair) in BALANCERS.iter().zip(doors.chunks_exact(2)) {
            let layout = Layout::new(name, root, [pair[0], pair[1]], &stage.fleet.servers);
            stage.balancers.push(Haproxy::start(layout).await?);
        }
        Ok(stage)
    }

    /// Lets customers come to both HAProxies, 500 a second.
    ///
    /// # Errors
    /// When they cannot come.
    pub fn open(&self) -> Result<Customers> {
        Customers::start(Load::through(self.doors()))
    }

    /// The customers' doors.
    #[must_use]
    pub fn doors(&self) -> Vec<SocketAddr> {
        let doors = self.balancers.iter().map(|one| one.layout.customers);
        doors.collect()
    }
}
