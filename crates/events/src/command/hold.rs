//! Keep an unproven server out.

use serde::{Deserialize, Serialize};

/// Keep an unproven server out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hold {
    /// Why, for people.
    pub reason: String,
}
