//! The two clocks: the wall's, which is only evidence, and one that never goes back, which all
//! deadlines are counted on.

use std::sync::OnceLock;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use events::Timestamp;
use tokio::time::Instant;

static BEGAN: OnceLock<Instant> = OnceLock::new();

/// The wall's time.
pub(crate) fn wall() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    let ms = since.map_or(0, |since| {
        i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
    });
    Timestamp::from_ms(ms)
}

/// Milliseconds since this life began.
pub(crate) fn now_ms() -> u64 {
    u64::try_from(began().elapsed().as_millis()).unwrap_or(u64::MAX)
}

/// The moment at which [`now_ms`] shows this.
pub(crate) fn moment(ms: u64) -> Instant {
    // A wait longer than a year is one that only an event ends.
    const YEAR_MS: u64 = 365 * 24 * 3600 * 1000;
    began() + Duration::from_millis(ms.min(YEAR_MS))
}

fn began() -> Instant {
    *BEGAN.get_or_init(Instant::now)
}
