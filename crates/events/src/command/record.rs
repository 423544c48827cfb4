//! The one record of a server in the compacted stream of commands.

use serde::{Deserialize, Serialize};

use super::{Balancer, Command, Work};
use crate::id::{Epoch, Fence, Seq};
use crate::name::{MachineName, ServerName, Target};
use crate::payload::{self, Unreadable};

/// The one record of a server in the compacted stream of commands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "record", rename_all = "snake_case")]
pub enum CommandRecord {
    /// A command is outstanding.
    Command(Box<Command>),
    /// Nothing is outstanding. Never a missing record: this one keeps the fence.
    Idle(Idle),
}

impl CommandRecord {
    /// The record's key in the stream: `production/checkout/web1`.
    #[must_use]
    pub fn key(&self) -> String {
        match self {
            Self::Command(command) => format!("{}/{}", command.target, command.server),
            Self::Idle(idle) => format!("{}/{}", idle.target, idle.server),
        }
    }

    /// What a worker compares before it obeys.
    #[must_use]
    pub const fn fence(&self) -> Fence {
        match self {
            Self::Command(command) => command.fence(),
            Self::Idle(idle) => Fence {
                epoch: idle.epoch,
                seq: idle.seq,
            },
        }
    }

    /// The machine that the server lives on.
    #[must_use]
    pub const fn machine(&self) -> &MachineName {
        match self {
            Self::Command(command) => &command.machine,
            Self::Idle(idle) => &idle.machine,
        }
    }

    /// The target that the server belongs to.
    #[must_use]
    pub const fn target(&self) -> &Target {
        match self {
            Self::Command(command) => &command.target,
            Self::Idle(idle) => &idle.target,
        }
    }

    /// The server.
    #[must_use]
    pub const fn server(&self) -> &ServerName {
        match self {
            Self::Command(command) => &command.server,
            Self::Idle(idle) => &idle.server,
        }
    }

    /// The load balancers that the server is behind.
    #[must_use]
    pub fn balancers(&self) -> &[Balancer] {
        match self {
            Self::Command(command) => &command.balancers,
            Self::Idle(idle) => &idle.balancers,
        }
    }

    /// Where the server stands in HAProxy: the backend that customers reach, the one that testers
    /// reach, and its line in both.
    #[must_use]
    pub fn place(&self) -> (&str, &str, &str) {
        match self {
            Self::Command(command) => (&command.online, &command.maintenance, &command.line),
            Self::Idle(idle) => (&idle.online, &idle.maintenance, &idle.line),
        }
    }

    /// The command, if one is outstanding.
    #[must_use]
    pub fn command(&self) -> Option<&Command> {
        match self {
            Self::Command(command) => Some(command),
            Self::Idle(_) => None,
        }
    }

    /// As it is stored.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        payload::write(self)
    }

    /// From a stored value.
    ///
    /// # Errors
    /// [`Unreadable`] when a newer version of us wrote it (then `kind` ends in the word that is
    /// not known here, such as `poolshift.command.migrate`), or the body does not fit.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Unreadable> {
        serde_json::from_slice(bytes).or_else(|_| Self::read_by_word(bytes))
    }

    /// Reads the words first and then the struct that they name: only so does an error name the
    /// field, and an unknown word is told from a body that does not fit.
    fn read_by_word(bytes: &[u8]) -> Result<Self, Unreadable> {
        let words: Words = payload::read(KIND, bytes)?;
        let kind = words.work.map(|work| work.kind);
        match (words.record.as_str(), kind) {
            ("command", Some(kind)) if !Work::KINDS.contains(&kind.as_str()) => Err(newer(&kind)),
            ("command", _) => payload::read(KIND, bytes).map(Self::Command),
            ("idle", _) => payload::read(KIND, bytes).map(Self::Idle),
            (other, _) => Err(newer(other)),
        }
    }
}

/// What errors call a record; it is no header, since the value says itself what it is.
const KIND: &str = "poolshift.command";

/// The words by which a record finds its type.
#[derive(Deserialize)]
struct Words {
    record: String,
    work: Option<WorkWord>,
}

#[derive(Deserialize)]
struct WorkWord {
    kind: String,
}

fn newer(word: &str) -> Unreadable {
    Unreadable::Newer {
        kind: format!("{KIND}.{word}"),
        version: 1,
    }
}

/// Nothing is outstanding for this server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Idle {
    /// The server's target.
    pub target: Target,
    /// The server.
    pub server: ServerName,
    /// Its machine.
    pub machine: MachineName,
    /// The owner's epoch.
    pub epoch: Epoch,
    /// The record's number.
    pub seq: Seq,
    /// The load balancers that the server is behind, in order.
    pub balancers: Vec<Balancer>,
    /// HAProxy backend that customers reach.
    pub online: String,
    /// HAProxy backend that only testers reach.
    pub maintenance: String,
    /// The server's line in those backends.
    pub line: String,
}
