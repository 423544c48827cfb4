//! A log as lines of text: what a backup holds, and what a new log is made from.
//!
//! The first line names the format and how far the owner of each partition had come. Then one line
//! a record, partition by partition: events, reports, rejected, each with the very bytes that
//! stand in the log, so that hash chains go on to hold. The last line counts the lines before it
//! and bears their SHA-256, so that a backup that was cut short or changed is refused as a whole.
//!
//! Commands and snapshots are left out: they follow from the events, and whoever takes a partition
//! publishes them anew.
//!
//! A log is exported while it is written to. Positions are noted first, then the ends of the
//! events, then those of the reports: a report that is consumed in between stands in the backup
//! with its events, and is read a second time after the import, which changes nothing.

mod export;
mod import;
mod line;
mod read;

pub use export::Export;
pub use import::{Imported, import};
pub use read::{Contents, check};

use crate::Stream;

/// The streams of a backup, in their order.
const STREAMS: [Stream; 3] = [Stream::Events, Stream::Reports, Stream::Rejected];
