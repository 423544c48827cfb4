//! Put a server back into the online pool.

use serde::{Deserialize, Serialize};

use super::artifact::Release;

/// Put a server back into the online pool.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Restore {
    /// What the agent last proved to run; none when nothing was changed and it is unknown.
    pub expect: Option<Release>,
    /// Whether it must be seen UP before this is done; not asked of a server that was not UP
    /// when it was taken out.
    pub must_be_up: bool,
}
