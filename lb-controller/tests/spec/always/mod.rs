//! What must hold whatever happens, in whatever order: the pure part, over random walks.
//!
//! Every action is checked when it is done and every reply when it is said: a server is put online
//! for its `Restore` before its deadline, or to undo a drain that was not reported; nothing is done
//! to a server that has no command; `Drained` is said only of one that is out, idle, saved and
//! marked; nothing is said twice. Whenever nothing is left to do, a drain that was not reported leaves
//! the floor UP, what must be out is out, and what is overdue was answered.

mod happening;
mod sim;
mod world;

use poolshift_lb_controller::Admin;
use proptest::prelude::*;

use happening::{Happening, Kind, happenings};
use sim::{LINES, ONLINE};
use world::{FLOOR, World};

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 3_000,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn no_walk_breaks_a_promise(walk in happenings()) {
        let mut world = World::new();
        for happening in &walk {
            world.happen(happening);
        }
    }

    /// Only drains, and no other hand on HAProxy: then the floor holds at every single moment.
    #[test]
    fn drains_alone_never_break_the_floor(
        batches in prop::collection::vec(prop::collection::vec(0..LINES.len(), 1..5), 1..6),
    ) {
        let mut world = World::new();
        let kind = Kind::Drain { pinned_ms: 0, is_cut: false };
        for batch in batches {
            for server in batch {
                world.happen(&Happening::Order(server, kind, 60_000));
            }
            for done in 1..6 {
                world.happen(&Happening::Look(None, done));
                prop_assert!(world.haproxy.count_up() >= FLOOR as usize);
            }
            world.happen(&Happening::Settle(10));
        }
        let out = LINES.iter().filter(|line| world.haproxy.admin(ONLINE, line) == Admin::Maint);
        prop_assert!(out.count() <= LINES.len() - FLOOR as usize);
    }
}
