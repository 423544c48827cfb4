//! The contract: every id, report, event and command that Poolshift's processes exchange, and
//! the envelope and streams that carry them.
//!
//! What is written with these types stands in the log for ever. So: a field's meaning never
//! changes (a new meaning is a new type), changes are additive, enums are closed on writing and
//! open on reading, numbers are integers, durations end in `_ms`, sizes in `_bytes`.
//!
//! This crate must never know a runtime, a transport, or any other crate of ours.

mod agents;
mod answer;
mod chain;
mod command;
mod digest;
mod envelope;
mod event;
mod id;
mod look;
mod name;
mod open;
mod payload;
mod report;
mod stream;
mod time;

pub use agents::{
    Assignment, Enrolled, Enrolment, EnrolmentCode, PollAnswer, PollTerms, ReportBatch,
    ReportOutcome, WireReport,
};
pub use answer::*;
pub use chain::{ChainBreak, Link, link, verify_link};
pub use command::*;
pub use digest::{Digest, sha256};
pub use envelope::{Actor, ActorKind, Cause, Envelope, HeaderError, Source};
pub use event::*;
pub use id::{
    CommandId, Epoch, Fence, ParseIdError, PersonId, ReportId, RolloutId, RolloutRef, Seq,
};
pub use look::{FolderSeen, Look, LookAt, Looked, ProgramSeen, UrlSeen};
pub use name::{
    BalancerName, EnvironmentName, MachineName, NameError, ServerName, ServiceName, Subject,
    Target, Version,
};
pub use payload::Unreadable;
pub use report::*;
pub use stream::{PARTITIONS, PLAN_BYTES_MAX, RECORD_BYTES_MAX, bytes_max, partition_of};
pub use time::{ParseTimeError, Timestamp};
