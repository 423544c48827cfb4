//! A clock that a test moves.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use poolshift_gateway::Clock;

use crate::house::now;

/// The wall's clock, and how far it was moved.
#[derive(Clone, Default)]
pub(crate) struct MovedClock(Arc<AtomicU64>);

impl MovedClock {
    pub(crate) fn clock(&self) -> Clock {
        let moved_ms = Arc::clone(&self.0);
        Clock::new(move || now().plus_ms(moved_ms.load(Ordering::SeqCst)))
    }

    pub(crate) fn go_on(&self, by: Duration) {
        let ms = u64::try_from(by.as_millis()).unwrap();
        self.0.fetch_add(ms, Ordering::SeqCst);
    }
}
