//! Rate limits: one bucket of tokens for each key.

use std::collections::BTreeMap;

use events::Timestamp;

/// From this many buckets on, those that are full again are forgotten.
const BUCKETS_MANY: usize = 10_000;

/// How often something may be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit {
    /// How often at once.
    pub burst: u32,
    /// How long one further time takes to come, in milliseconds.
    pub refill_ms: u64,
}

/// What an attempt came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taken {
    /// It may be done.
    Yes,
    /// Not now.
    No {
        /// When it may be tried again, in milliseconds from now.
        retry_in_ms: u64,
    },
}

#[derive(Debug, Default)]
pub(crate) struct Limits {
    buckets: BTreeMap<String, Bucket>,
}

/// `spent_ms` is what the bucket lacks, as the time it takes to come back.
#[derive(Debug, Clone, Copy)]
struct Bucket {
    spent_ms: u64,
    at: Timestamp,
}

impl Limits {
    pub(crate) fn take(&mut self, key: &str, limit: Limit, now: Timestamp) -> Taken {
        let lacks = |bucket: &Bucket| bucket.spent_ms.saturating_sub(now.ms_since(bucket.at));
        if self.buckets.len() >= BUCKETS_MANY {
            self.buckets.retain(|_, bucket| lacks(bucket) > 0);
        }
        let spent = self.buckets.get(key).map_or(0, lacks);
        let room = u64::from(limit.burst).saturating_mul(limit.refill_ms);
        let wanted = spent.saturating_add(limit.refill_ms);
        if wanted > room {
            return Taken::No {
                retry_in_ms: wanted - room,
            };
        }
        let bucket = Bucket {
            spent_ms: wanted,
            at: now,
        };
        self.buckets.insert(key.to_owned(), bucket);
        Taken::Yes
    }
}
