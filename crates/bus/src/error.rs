use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use crate::record::MAX_RECORD_BYTES;
use crate::{PARTITIONS, Stream};

/// Where a log lies, as errors name it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Home {
    /// In this file.
    File(PathBuf),
    /// On the brokers found by these addresses.
    Kafka(String),
}

impl fmt::Display for Home {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Kafka(brokers) => write!(f, "Kafka at {brokers}"),
        }
    }
}

/// Why the bus refused or failed, and what to do about it.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Error {
    /// [`Bus::append`](crate::Bus::append) on a stream that only owners write.
    #[error(
        "{stream} is written by the owner of the partition alone: take the partition and commit"
    )]
    OwnerOnly {
        /// The stream that was asked for.
        stream: Stream,
    },
    /// A partition that does not exist.
    #[error("partition {partition} does not exist: partitions are 0 to {}", PARTITIONS - 1)]
    UnknownPartition {
        /// The partition that was asked for.
        partition: u32,
    },
    /// A record above [`MAX_RECORD_BYTES`]; nothing of its batch was written.
    #[error(
        "record {key:?} has {bytes} bytes, the limit is {MAX_RECORD_BYTES}: store the rest elsewhere"
    )]
    TooLarge {
        /// The key of the record.
        key: String,
        /// Key, headers and value together.
        bytes: usize,
    },
    /// [`Bus::latest`](crate::Bus::latest) on a stream that is not compacted.
    #[error("{stream} is not compacted, so it has no latest record of each key: follow it")]
    NotCompacted {
        /// The stream that was asked for.
        stream: Stream,
    },
    /// [`Bus::expire`](crate::Bus::expire) on a stream that is never expired.
    #[error("{stream} does not expire: only reports and rejected do")]
    NeverExpires {
        /// The stream that was asked for.
        stream: Stream,
    },
    /// A position after the last record: this is another log than the one the position came from.
    #[error(
        "{stream}/{partition} ends at {end:?}, before the position {offset}: the log was replaced or cut; \
         forget the position and read from the start"
    )]
    BeyondEnd {
        /// The stream that was followed.
        stream: Stream,
        /// The partition that was followed.
        partition: u32,
        /// The position that was asked for.
        offset: u64,
        /// The last record there is.
        end: Option<u64>,
    },
    /// Another owner took the partition. Nothing was written, and nothing will be.
    #[error(
        "epoch {epoch} of partition {partition} is over, another owner took it: stop acting for it"
    )]
    Fenced {
        /// The partition.
        partition: u32,
        /// The epoch of the owner that was refused.
        epoch: u64,
    },
    /// A former commit of this owner was given up before its answer came.
    #[error(
        "the outcome of the last commit to partition {partition} is unknown: take the partition anew and fold"
    )]
    InDoubt {
        /// The partition.
        partition: u32,
    },
    /// The epoch would not rise.
    #[error(
        "base {base} gives partition {partition} an epoch not above {former}: take it with a higher base"
    )]
    EpochTooLow {
        /// The partition.
        partition: u32,
        /// The base that was asked for.
        base: u64,
        /// The epoch of the former owner.
        former: u64,
    },
    /// A report is consumed once: this position was already stored, or passed.
    #[error(
        "reports of partition {partition} are consumed up to {stored}, so {asked} cannot be consumed again"
    )]
    AlreadyConsumed {
        /// The partition.
        partition: u32,
        /// The position of the commit that was refused.
        asked: u64,
        /// The position that is stored.
        stored: u64,
    },
    /// The log belongs to another process, or is open in this one.
    #[error(
        "{} is in use by another `poolshift serve` (process {holder}): stop that one, or name another file",
        path.display()
    )]
    InUse {
        /// The file of the log.
        path: PathBuf,
        /// The id of the process that has it, as it wrote it beside the file.
        holder: String,
    },
    /// The file was not made by Poolshift.
    #[error("{} is not a log of Poolshift ({detail}): name another file, or move this one away", path.display())]
    NotOurs {
        /// The file.
        path: PathBuf,
        /// What it is.
        detail: String,
    },
    /// The file was made by a newer Poolshift.
    #[error(
        "{} has layout {found}, this Poolshift knows layouts up to {known}: start a newer Poolshift",
        path.display()
    )]
    TooNew {
        /// The file.
        path: PathBuf,
        /// The layout of the file.
        found: i64,
        /// The newest layout that this build knows.
        known: i64,
    },
    /// The file is damaged.
    #[error("{} is damaged ({detail}): stop Poolshift and put a backup in its place", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What the storage said.
        detail: String,
    },
    /// No room. Nothing was written; the bus goes on when there is room.
    #[error(
        "no room to write to {home} ({detail}): free disk space or raise its limit, then repeat"
    )]
    Full {
        /// The log.
        home: Home,
        /// What is full.
        detail: String,
    },
    /// The storage failed otherwise. Nothing was acknowledged.
    #[error("cannot use {home} ({detail}): mend the storage, then repeat with the same id")]
    Storage {
        /// The log.
        home: Home,
        /// What the storage said.
        detail: String,
    },
    /// The storage gave no answer in time. What was asked for may still happen.
    #[error(
        "no answer from {home} within {limit:?}, the outcome is unknown: repeat with the same id"
    )]
    Silent {
        /// The log.
        home: Home,
        /// How long was waited.
        limit: Duration,
    },
    /// A line of a backup that is not as it should be. Nothing that the caller may use was made.
    #[error("line {line} of the backup {detail}")]
    Backup {
        /// The first line is 1.
        line: u64,
        /// What is wrong, and how to mend it.
        detail: String,
    },
    /// A backup goes into an empty log only.
    #[error("{stream}/{partition} has records already: name a log that does not exist yet")]
    NotEmpty {
        /// The stream that is not empty.
        stream: Stream,
        /// The partition that is not empty.
        partition: u32,
    },
    /// Settings that no log on Kafka can be opened with.
    #[error("settings of Kafka: {detail}")]
    Settings {
        /// What is wrong, and how to mend it.
        detail: String,
    },
    /// The bus was closed.
    #[error("the bus is closed: this process is ending")]
    Closed,
}
