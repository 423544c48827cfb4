//! Take a server out of the online pool.

use serde::{Deserialize, Serialize};

use crate::open::open_enum;

open_enum! {
    /// What to do with requests that still run when a drain's time is over.
    Then {
        /// Give up: the server goes back.
        Fail = "fail",
        /// End them, and count them.
        Cut = "cut",
    }
}

/// Take a server out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Drain {
    /// How long customers that a cookie pins to the server may still come, in milliseconds.
    pub pinned_ms: u64,
    /// What happens at the deadline.
    pub then: Then,
    /// The least number of servers that must stay UP in the online pool of each balancer.
    pub floor: u32,
    /// All lines of the target in the online pool: the floor is judged over these.
    pub members: Vec<String>,
}
