//! Servers that are kept out.

use serde::{Deserialize, Serialize};

use crate::id::CommandId;
use crate::name::{BalancerName, ServerName};

/// One balancer: the server is kept out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Held {
    /// Which command.
    pub command: CommandId,
    /// Which balancer.
    pub balancer: BalancerName,
    /// Whether HAProxy's state file is on disk with this in it.
    pub state_saved: bool,
    /// The row of `show stat` that this rests on.
    pub row: String,
}

/// One balancer: customers reached a server that is kept out (HAProxy forgot, or a person put it
/// back), until we took it out again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HoldBroken {
    /// Which server.
    pub server: ServerName,
    /// Which balancer.
    pub balancer: BalancerName,
    /// Customers' requests that reached it meanwhile.
    pub requests: u64,
    /// How long it was reachable, as far as was seen.
    pub ms: u64,
    /// The row of `show stat` that this rests on.
    pub row: String,
}
