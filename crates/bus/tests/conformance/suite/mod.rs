//! What every bus promises, whatever it stands on. An implementation comes under it with a
//! [`Place`](place::Place) of its own and one line of `conformance!`.

pub(crate) mod backup;
pub(crate) mod compaction;
pub(crate) mod ownership;
pub(crate) mod place;
pub(crate) mod promises;
pub(crate) mod refusals;
pub(crate) mod streams;
