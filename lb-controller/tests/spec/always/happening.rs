//! Everything that may happen, and in which proportion.

use poolshift_lb_controller::Admin;
use proptest::prelude::*;

use super::sim::LINES;

#[derive(Debug, Clone)]
pub(crate) enum Happening {
    /// Time passes, then looks until nothing is left to do.
    Settle(u64),
    /// One look; this happens before its actions, of which only so many get through.
    Look(Option<Box<Happening>>, usize),
    Order(usize, Kind, u64),
    /// A new owner publishes everything anew.
    TakenOver,
    /// A record of a former owner.
    Stale(usize, Kind),
    Health(usize, bool),
    Person(usize, Admin),
    Visit(usize, u32),
    Finish(usize),
    HaproxyRestarts(bool),
    HaproxyGone(bool),
    ControllerRestarts,
    DiskFull(bool),
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum Kind {
    Idle,
    Fetch,
    Drain { pinned_ms: u64, is_cut: bool },
    Test,
    Hold,
    Restore { must_be_up: bool },
}

pub(crate) fn happenings() -> impl Strategy<Value = Vec<Happening>> {
    let look = (proptest::option::of(outside()), 0..6_usize)
        .prop_map(|(between, done)| Happening::Look(between.map(Box::new), done));
    let settle = (0..2_500_u64).prop_map(Happening::Settle);
    proptest::collection::vec(
        prop_oneof![4 => inside(), 4 => outside(), 2 => look, 3 => settle],
        1..60,
    )
}

/// What comes through us: never between a look and its actions.
fn inside() -> impl Strategy<Value = Happening> {
    let server = 0..LINES.len();
    prop_oneof![
        8 => (server.clone(), kind(), within_ms())
            .prop_map(|(server, kind, ms)| Happening::Order(server, kind, ms)),
        1 => Just(Happening::TakenOver),
        1 => (server, kind()).prop_map(|(server, kind)| Happening::Stale(server, kind)),
        2 => Just(Happening::ControllerRestarts),
    ]
}

/// What happens whenever it likes.
fn outside() -> impl Strategy<Value = Happening> {
    let server = 0..LINES.len();
    let admin = prop_oneof![Just(Admin::Ready), Just(Admin::Drain), Just(Admin::Maint)];
    prop_oneof![
        3 => (server.clone(), any::<bool>()).prop_map(|(s, good)| Happening::Health(s, good)),
        2 => (server.clone(), admin).prop_map(|(server, to)| Happening::Person(server, to)),
        3 => (server.clone(), 1..4_u32).prop_map(|(server, n)| Happening::Visit(server, n)),
        3 => server.prop_map(Happening::Finish),
        2 => any::<bool>().prop_map(Happening::HaproxyRestarts),
        1 => any::<bool>().prop_map(Happening::HaproxyGone),
        1 => any::<bool>().prop_map(Happening::DiskFull),
    ]
}

/// Some come too late.
fn within_ms() -> impl Strategy<Value = u64> {
    prop_oneof![1 => Just(0), 4 => 1..5_000_u64]
}

fn kind() -> impl Strategy<Value = Kind> {
    let pinned_ms = prop_oneof![Just(0), Just(1_000)];
    prop_oneof![
        2 => Just(Kind::Idle),
        1 => Just(Kind::Fetch),
        6 => (pinned_ms, any::<bool>())
            .prop_map(|(pinned_ms, is_cut)| Kind::Drain { pinned_ms, is_cut }),
        2 => Just(Kind::Test),
        2 => Just(Kind::Hold),
        3 => any::<bool>().prop_map(|must_be_up| Kind::Restore { must_be_up }),
    ]
}
