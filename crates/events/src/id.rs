//! Ids: of rollouts, commands, people and reports, and the fence that orders commands.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use uuid::Uuid;

use crate::name::{ServerName, Target, canonical, shown};

/// A text that is not an id of its kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a valid {kind}: write {form}")]
pub struct ParseIdError {
    kind: &'static str,
    text: String,
    form: &'static str,
}

impl ParseIdError {
    pub(crate) fn new(kind: &'static str, text: &str, form: &'static str) -> Self {
        Self {
            kind,
            text: shown(text),
            form,
        }
    }
}

macro_rules! serde_by_text {
    ($name:ident) => {
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }
    };
}

/// One version going to one target. UUIDv5 of target, sender and key, so that the same request
/// delivered again is the same rollout.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RolloutId(Uuid);

/// The namespace of our UUIDv5 ids; a random one, fixed for ever.
const NAMESPACE: Uuid = Uuid::from_u128(0x6f0d_6c5a_1d0b_4c62_9d3e_0a55_71c4_20e7);

impl RolloutId {
    /// The id of a request: `sender` says through which door it came, `key` is that door's
    /// idempotency key.
    #[must_use]
    pub fn of(target: &Target, sender: &str, key: &str) -> Self {
        let name = format!("{target}\n{sender}\n{key}");
        Self(Uuid::new_v5(&NAMESPACE, name.as_bytes()))
    }

    /// The first eight digits: what people say to each other.
    #[must_use]
    pub fn short(&self) -> String {
        self.0.simple().to_string().chars().take(8).collect()
    }
}

impl fmt::Display for RolloutId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.hyphenated())
    }
}

impl FromStr for RolloutId {
    type Err = ParseIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Uuid::try_parse(text)
            .map(Self)
            .map_err(|_| ParseIdError::new("rollout id", text, "a UUID, as `start` printed it"))
    }
}

serde_by_text!(RolloutId);

/// What a command belongs to: a rollout, or the repair of a server outside any.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RolloutRef {
    /// A rollout.
    Rollout(RolloutId),
    /// `repair`: a proven server that was found out of the online pool for no reason.
    Repair,
}

impl RolloutRef {
    /// The rollout, unless this is a repair.
    #[must_use]
    pub const fn rollout(&self) -> Option<RolloutId> {
        match self {
            Self::Rollout(id) => Some(*id),
            Self::Repair => None,
        }
    }
}

impl fmt::Display for RolloutRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rollout(id) => write!(f, "{id}"),
            Self::Repair => f.write_str("repair"),
        }
    }
}

impl FromStr for RolloutRef {
    type Err = ParseIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "repair" {
            Ok(Self::Repair)
        } else {
            text.parse().map(Self::Rollout)
        }
    }
}

serde_by_text!(RolloutRef);

/// `rollout/server/step/attempt`: deterministic, so that the same intent has the same id whoever
/// writes it, and never used twice within a rollout.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CommandId {
    /// The rollout, or `repair`.
    pub rollout: RolloutRef,
    /// The server's short name.
    pub server: ServerName,
    /// The step, such as `drain`, `check-2`, `back-install`.
    pub step: String,
    /// 1 for the first try; only counts up within a rollout, also over `retry`.
    pub attempt: u32,
}

impl fmt::Display for CommandId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}/{}/{}/{}",
            self.rollout, self.server, self.step, self.attempt
        )
    }
}

impl FromStr for CommandId {
    type Err = ParseIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || ParseIdError::new("command id", text, "rollout/server/step/attempt");
        let parts: Vec<&str> = text.split('/').collect();
        let [rollout, server, step, attempt] = parts.as_slice() else {
            return Err(wrong());
        };
        let known = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        if step.is_empty() || !step.bytes().all(known) {
            return Err(wrong());
        }
        Ok(Self {
            rollout: rollout.parse()?,
            server: server.parse().map_err(|_| wrong())?,
            step: (*step).to_owned(),
            attempt: canonical(attempt).ok_or_else(wrong)?,
        })
    }
}

serde_by_text!(CommandId);

/// A person as the log knows them: `p_` and random letters or digits, never a name.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PersonId(String);

impl PersonId {
    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for PersonId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for PersonId {
    type Err = ParseIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || ParseIdError::new("person id", text, "p_ and 4 to 40 of a-z and 0-9");
        let rest = text.strip_prefix("p_").ok_or_else(wrong)?;
        let known = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
        if (4..=40).contains(&rest.len()) && rest.bytes().all(known) {
            Ok(Self(text.to_owned()))
        } else {
            Err(wrong())
        }
    }
}

serde_by_text!(PersonId);

/// Id of a report: made by the reporter (UUIDv7) and kept over its retries, so that a report
/// delivered twice counts once.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ReportId(Uuid);

impl ReportId {
    /// From the UUID that the reporter made.
    #[must_use]
    pub const fn new(id: Uuid) -> Self {
        Self(id)
    }

    /// The id under which `to` is told of event `n` of `from`: the same however often it is told.
    #[must_use]
    pub fn told(from: &str, n: u64, to: &str) -> Self {
        Self(Uuid::new_v5(
            &NAMESPACE,
            format!("{from}#{n}>{to}").as_bytes(),
        ))
    }

    /// The UUID.
    #[must_use]
    pub const fn as_uuid(&self) -> Uuid {
        self.0
    }
}

impl fmt::Display for ReportId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.hyphenated())
    }
}

impl FromStr for ReportId {
    type Err = ParseIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Uuid::try_parse(text)
            .map(Self)
            .map_err(|_| ParseIdError::new("report id", text, "a UUID"))
    }
}

serde_by_text!(ReportId);

/// The UUIDv5 of event `n` of a target.
#[must_use]
pub(crate) fn event_id(subject: &str, n: u64) -> Uuid {
    Uuid::new_v5(&NAMESPACE, format!("{subject}#{n}").as_bytes())
}

/// Which ownership of a partition wrote a record; rises with each take-over.
pub type Epoch = u64;

/// Number of a server's record of what is outstanding; handed out by the fold, never twice.
pub type Seq = u64;

/// What a worker compares before it obeys: it refuses a lower fence, and an equal one with
/// another id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
pub struct Fence {
    /// The owner's epoch.
    pub epoch: Epoch,
    /// The server's number within and across epochs.
    pub seq: Seq,
}
