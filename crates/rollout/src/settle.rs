//! One input taken to its fixpoint.

use events::{Cause, Event, Timestamp};

use crate::apply::{Stamp, apply};
use crate::decide::{Input, decide};
use crate::state::State;

/// What an input led to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settled {
    /// The state after it.
    pub state: State,
    /// The events, in order, each with what led to it.
    pub events: Vec<(Event, Cause)>,
    /// How many of them the input itself led to; the rest follows from the state.
    pub direct: usize,
    /// Why what was asked was not taken.
    pub refused: Option<String>,
}

/// More rounds than any decision needs: each round does one thing to at least one server of at
/// most 1,000, and a server has fewer than 20 stages. Reaching it means that the rules chase each
/// other; the rest is decided at the next wake-up, so nothing hangs and nothing is lost.
const ROUNDS_MAX: usize = 10_000;

/// Decides `input`, then what follows from it, until nothing more does; all of it has the input as
/// its cause. The state given is left as it is: the result is adopted when its events are in the
/// log.
#[must_use]
pub fn settle(state: &State, input: &Input<'_>, at: Timestamp) -> Settled {
    let at = at.max(state.at);
    let mut state = state.clone();
    let reply = decide(&state, input, at);
    let cause = input.cause();
    let mut events = Vec::new();
    let mut take = |state: &mut State, new: Vec<Event>, cause: Cause| {
        for event in new {
            apply(state, &event, Stamp { at, cause });
            events.push((event, cause));
        }
    };
    let direct = reply.events.len();
    take(&mut state, reply.events, cause);
    for _ in 0..ROUNDS_MAX {
        let follow = decide(&state, &Input::Clock, at);
        if follow.events.is_empty() {
            break;
        }
        take(&mut state, follow.events, cause);
    }
    Settled {
        state,
        events,
        direct,
        refused: reply.refused,
    }
}
