use std::fmt;

/// One of the ordered streams.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stream {
    /// What others say: requests, votes, answers. Anyone appends; expires.
    Reports,
    /// What is so. Only the owner of a partition writes; kept for ever.
    Events,
    /// What a worker must make true, one record a server. Only the owner writes; compacted.
    Commands,
    /// States of targets, which may be thrown away. Only the owner writes; compacted.
    Snapshots,
    /// Reports that nobody could read. Anyone appends; expires.
    Rejected,
}

impl Stream {
    /// All streams.
    pub const ALL: [Self; 5] = [
        Self::Reports,
        Self::Events,
        Self::Commands,
        Self::Snapshots,
        Self::Rejected,
    ];

    /// The name of the stream, which is its topic on Kafka.
    pub fn name(self) -> &'static str {
        match self {
            Self::Reports => "poolshift.reports",
            Self::Events => "poolshift.events",
            Self::Commands => "poolshift.commands",
            Self::Snapshots => "poolshift.snapshots",
            Self::Rejected => "poolshift.rejected",
        }
    }

    /// Whether the stream holds only the latest record of each key.
    pub fn is_compacted(self) -> bool {
        match self {
            Self::Commands | Self::Snapshots => true,
            Self::Reports | Self::Events | Self::Rejected => false,
        }
    }

    /// Whether anyone may append, not just the owner of a partition. These streams expire, too.
    pub fn is_open(self) -> bool {
        match self {
            Self::Reports | Self::Rejected => true,
            Self::Events | Self::Commands | Self::Snapshots => false,
        }
    }
}

impl fmt::Display for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
