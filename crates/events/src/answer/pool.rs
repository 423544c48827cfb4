//! What an lb-controller sees in the pools without being asked.

use serde::{Deserialize, Serialize};

use crate::id::CommandId;
use crate::name::{BalancerName, ServerName};
use crate::open::open_enum;

/// One balancer: a server is out by our own mark with nothing outstanding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Strayed {
    /// Which server.
    pub server: ServerName,
    /// Which balancer.
    pub balancer: BalancerName,
    /// The command that took it out.
    pub mark: CommandId,
    /// The row of `show stat` that this rests on.
    pub row: String,
}

/// Something is not as we want it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DriftSeen {
    /// Which server.
    pub server: ServerName,
    /// Which balancer, where one is concerned.
    pub balancer: Option<BalancerName>,
    /// What we want.
    pub wanted: String,
    /// What is.
    pub found: String,
}

open_enum! {
    /// Where a server is on one balancer.
    Pool {
        /// Customers reach it.
        Online = "online",
        /// Only testers do.
        Maintenance = "maintenance",
        /// A person drained it or put it into maintenance.
        ByPerson = "by_person",
        /// Its line is not there.
        Gone = "gone",
    }
}

/// One server on one balancer.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct PoolMember {
    /// Which server.
    pub server: ServerName,
    /// Which pool it is in.
    pub pool: Pool,
    /// Whether its health check is good.
    pub up: bool,
}

/// One balancer: which servers are UP in which pool. Reported on change, at most once a second.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PoolSeen {
    /// Which balancer.
    pub balancer: BalancerName,
    /// The target's servers there, by name.
    pub servers: Vec<PoolMember>,
}
