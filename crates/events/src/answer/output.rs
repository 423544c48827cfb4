//! What a program printed, as the log may keep it.

use serde::{Deserialize, Serialize};

use crate::digest::Digest;

/// The output of a program, as the log may keep it: masked, and only its end.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Output {
    /// Digest of the whole masked output; none when there was none.
    pub sha256: Option<Digest>,
    /// Its size.
    pub bytes: u64,
    /// Whether `tail` is not all of it.
    pub truncated: bool,
    /// Its end, at most 2 KiB.
    pub tail: String,
    /// How many secrets were masked.
    pub masked: u32,
}
