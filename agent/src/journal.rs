//! What the agent remembers: which commands it has begun, answered and refused, what it has proved
//! to run, and which reports nobody has taken yet. This module is the value and its fold;
//! [`ledger`](crate::ledger) keeps it on disk.

mod entry;
mod state;

pub(crate) use entry::report_of;
pub use entry::{Entry, Stamp};
pub use state::{Answered, Highest, Journal, Running, ServerNotes};
