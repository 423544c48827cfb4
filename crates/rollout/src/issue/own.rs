//! Where no load balancer is in front: the service's own command takes a server out of work, and
//! checks and suites ask the server itself.

use events::{Own, Timestamp, Work};

use crate::catalogue::defaults::DRAIN_TIMEOUT_MS;
use crate::state::{Outstanding, Server, State};

/// A machine that comes back after years still keeps an unproven server out.
const HOLD_WITHIN_MS: u64 = 10 * 365 * 24 * 3_600_000;

/// A `Hold` whose command failed is asked for anew after this; then after twice as long each time,
const AGAIN_MS: u64 = 30_000;

/// but never later than this.
const AGAIN_MOST_MS: u64 = 3_600_000;

/// When a `Hold` whose command failed is asked for anew.
pub(crate) fn hold_again_at(outstanding: &Outstanding) -> Option<Timestamp> {
    let failed_at = outstanding.own_failed_at?;
    let doubled = outstanding.command.attempt.saturating_sub(1).min(10);
    Some(failed_at.plus_ms((AGAIN_MS << doubled).min(AGAIN_MOST_MS)))
}

/// What carries this work out in the place of load balancers.
pub(super) fn of(server: &Server, work: &Work) -> Option<Own> {
    let (drain, restore) = server.own.as_ref()?;
    match work {
        Work::Drain(_) | Work::Hold(_) => Some(drain.clone()),
        Work::Restore(_) => Some(restore.clone()),
        Work::Fetch(_) | Work::Install(_) | Work::Check(_) | Work::Test(_) | Work::Watch(_) => None,
    }
}

/// The server's own address.
pub(super) fn direct(server: &Server, address: &str) -> Option<String> {
    server.own.as_ref().map(|_| format!("http://{address}"))
}

/// A `Hold` has no deadline; an lb-controller needs none to begin, an agent a far one.
pub(super) fn hold_within_ms(server: &Server) -> u64 {
    server.own.as_ref().map_or(0, |_| HOLD_WITHIN_MS)
}

/// How long the command behind a `Hold` may run.
pub(super) fn hold_timeout_ms(state: &State, server: &Server) -> u64 {
    let entry = state.entry.as_ref();
    server.own.as_ref().map_or(0, |_| {
        entry.map_or(DRAIN_TIMEOUT_MS, |entry| entry.rollout.drain_timeout_ms)
    })
}
