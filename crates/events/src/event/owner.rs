//! Who owns a partition.

use serde::{Deserialize, Serialize};

use crate::id::Epoch;

/// A new owner took the partition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OwnershipTaken {
    /// Which partition.
    pub partition: u32,
    /// Added to the record's offset to make the epoch; above 0 only after a restore.
    pub base: Epoch,
}

/// A target has a new owner.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OwnerChanged {
    /// The new owner's epoch.
    pub epoch: Epoch,
}
