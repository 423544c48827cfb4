//! From HAProxy's backends to service files to be completed: what stands there is taken, what
//! cannot stand there is never guessed.

mod draft;
mod judge;

pub(crate) use draft::{draft, names};
pub(crate) use judge::{Judged, judge};
