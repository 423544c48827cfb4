//! The service's own command, where no load balancer is in front.

use serde::{Deserialize, Serialize};

/// What takes a server out of work, or puts it back, where no load balancer could: the service's
/// own command, run by the machine's agent. What it does must outlast a restart of the service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Own {
    /// The program and its arguments.
    pub argv: Vec<String>,
    /// The service's folder on the machine, where it runs.
    pub into: String,
}
