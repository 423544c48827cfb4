//! The bus: ordered streams of records, and the right to write to them.
//!
//! It moves records and knows nothing of what they mean. Five streams, each cut into
//! [`PARTITIONS`] partitions: [`Stream::Reports`] takes what anyone says, and only the [`Owner`] of
//! a partition writes what is so. What every implementation promises stands as tests in
//! `tests/conformance`.
//!
//! Two stand: one SQLite file ([`Bus::open`]), and topics of Kafka ([`Bus::connect`]).
//!
//! - **Durable**: a record that was acknowledged is there after `kill -9` and after a power cut (of
//!   all brokers but one, on Kafka).
//! - **Ordered**: within a partition of a stream offsets rise, and every follower sees that order.
//! - **One owner**: taking a partition fences its former owner, whose next commit writes nothing.
//! - **One transaction**: a [`Commit`] stands as a whole or not at all, with the position of the
//!   report it consumed.
//! - **Compacted**: [`Stream::Commands`] and [`Stream::Snapshots`] hold the latest record of a key.
//!
//! An error means that nothing was acknowledged; it does not mean that nothing can ever be found:
//! a write whose flush failed may stand after a crash. So a caller repeats with the same id.

pub mod backup;
mod bus;
mod error;
mod follower;
pub mod kafka;
mod membership;
mod owner;
mod record;
mod sqlite;
mod stream;

pub use bus::{Bus, Options, Room, Stats};
pub use error::{Error, Home};
pub use events::PARTITIONS;
pub use follower::Follower;
pub use membership::{Change, Membership, Revoked};
pub use owner::{Commit, Committed, Owner, Ownership};
pub use record::{MAX_RECORD_BYTES, Outgoing, Position, Record};
pub use stream::Stream;
