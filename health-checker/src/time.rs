//! The two clocks: the wall's, which deadlines are written in, and the monotonic one, on which
//! they are counted.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use events::{Command, Timestamp};
use tokio::time::Instant;

use crate::trial::remains_ms;

/// The wall clock.
pub(crate) fn now() -> Timestamp {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    Timestamp::from_ms(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

/// When a command seen now must have its verdict: after its own time, and never past its deadline.
/// `None` when that has passed. Counted on the monotonic clock, so that a wall clock that is set
/// in the middle changes nothing.
pub(crate) fn end(command: &Command, wall: Timestamp, seen: Instant) -> Option<Instant> {
    let ms = remains_ms(command, wall);
    (ms > 0).then(|| seen + Duration::from_millis(ms))
}
