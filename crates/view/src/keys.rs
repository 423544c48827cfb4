//! Keys against replays: which content each rollout id was asked with.

use std::collections::BTreeMap;

use events::{Digest, RolloutId, Timestamp};

/// How long a key counts, in milliseconds: 30 days.
const KEPT_MS: u64 = 30 * 24 * 60 * 60 * 1000;

/// What a claim on a key came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Claimed {
    /// Nobody had it.
    New,
    /// It was claimed before, with the same content.
    Same,
    /// It was claimed before, with other content.
    Other,
}

#[derive(Debug, Default)]
pub(crate) struct Keys {
    claims: BTreeMap<RolloutId, (Digest, Timestamp)>,
}

impl Keys {
    pub(crate) fn claim(&mut self, id: RolloutId, content: Digest, now: Timestamp) -> Claimed {
        self.claims
            .retain(|_, (_, since)| now.ms_since(*since) < KEPT_MS);
        match self.claims.get(&id) {
            None => {
                self.claims.insert(id, (content, now));
                Claimed::New
            }
            Some((known, _)) if *known == content => Claimed::Same,
            Some(_) => Claimed::Other,
        }
    }

    pub(crate) fn release(&mut self, id: RolloutId) {
        self.claims.remove(&id);
    }
}
