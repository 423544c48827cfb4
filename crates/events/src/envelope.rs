//! What stands around every payload: CloudEvents attributes, kept as record headers (`ce_*`).

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::digest::Digest;
use crate::id::{CommandId, Epoch, ReportId, RolloutRef, event_id};
use crate::name::Subject;
use crate::open::open_enum;
use crate::report::Report;
use crate::time::Timestamp;

/// Headers of a record, in the order they are stored.
type Headers = Vec<(String, String)>;

/// The attributes of one report or event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Envelope {
    /// UUIDv7 of the reporter, kept over its retries; for events UUIDv5 of subject and `n`.
    pub id: Uuid,
    /// Wire name of the payload, such as `poolshift.installed`.
    pub kind: String,
    /// Version of that wire type.
    pub version: u16,
    /// What it is about.
    pub subject: Subject,
    /// Events only: gapless number within the subject, from 1.
    pub n: Option<u64>,
    /// Events only: the owner's time, never smaller than the one before. The only time that
    /// decisions rest on.
    pub at: Option<Timestamp>,
    /// The reporter's clock: evidence only.
    pub reported_at: Timestamp,
    /// Which process of ours wrote it.
    pub source: Source,
    /// Who is behind it.
    pub actor: Actor,
    /// Events only: the report that led to it, or the clock.
    pub cause: Option<Cause>,
    /// Events only: the owner's epoch.
    pub epoch: Option<Epoch>,
    /// Events only: version of the rules that decided it.
    pub brain: Option<u16>,
    /// The rollout it belongs to.
    pub rollout: Option<RolloutRef>,
    /// The command it is about.
    pub command: Option<CommandId>,
    /// Events only: digest of the subject's previous event as stored; none for the first.
    pub prev: Option<Digest>,
    /// W3C trace context.
    pub traceparent: Option<String>,
}

/// `process/instance/version`, such as `agent/srv-101/0.1.0`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Source {
    /// Which of our processes.
    pub process: String,
    /// Which instance of it.
    pub instance: String,
    /// Its version.
    pub version: String,
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.process, self.instance, self.version)
    }
}

open_enum! {
    /// What kind of actor stands behind a report.
    ActorKind {
        /// A person, by `p_` id.
        Person = "person",
        /// A job of a build server, by its URL.
        Job = "job",
        /// An agent, by its machine.
        Agent = "agent",
        /// A process of ours.
        Process = "process",
    }
}

/// Who is behind a report.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Actor {
    /// What kind of actor.
    pub kind: ActorKind,
    /// Its id; a person's is `p_` and random letters, never a name or an address.
    pub id: String,
}

/// What led to an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cause {
    /// A report.
    Report(ReportId),
    /// The passing of time, or a take-over.
    Clock,
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Report(id) => write!(f, "{id}"),
            Self::Clock => f.write_str("clock"),
        }
    }
}

/// Headers that do not make an envelope.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HeaderError {
    /// A required header is not there.
    #[error("header `{0}` is missing")]
    Missing(&'static str),
    /// A header does not parse.
    #[error("header `{name}` cannot be read: {why}")]
    Wrong {
        /// Which header.
        name: &'static str,
        /// What is wrong with it.
        why: String,
    },
}

impl Envelope {
    /// The envelope of a report: what it is about and which command it answers are taken from it.
    #[must_use]
    pub fn of_report(
        id: ReportId,
        report: &Report,
        subject: Subject,
        reported_at: Timestamp,
        source: Source,
        actor: Actor,
    ) -> Self {
        let command = match report {
            Report::Answer(answer) => answer.command().cloned(),
            Report::Ask(_) => None,
        };
        Self {
            id: id.as_uuid(),
            kind: report.kind().to_owned(),
            version: report.version(),
            subject,
            n: None,
            at: None,
            reported_at,
            source,
            actor,
            cause: None,
            epoch: None,
            brain: None,
            rollout: command.as_ref().map(|command| command.rollout),
            command,
            prev: None,
            traceparent: None,
        }
    }

    /// The id of event `n` of `subject`.
    #[must_use]
    pub fn event_id(subject: &Subject, n: u64) -> Uuid {
        event_id(&subject.to_string(), n)
    }

    /// As record headers, always in the same order.
    #[must_use]
    pub fn to_headers(&self) -> Headers {
        let mut headers = Headers::new();
        let mut put = |name: &str, value: String| headers.push((name.to_owned(), value));
        put("ce_specversion", "1.0".to_owned());
        put("ce_id", self.id.hyphenated().to_string());
        put("ce_type", self.kind.clone());
        put("ce_typeversion", self.version.to_string());
        put("ce_source", self.source.to_string());
        put("ce_subject", self.subject.to_string());
        put("ce_time", self.at.unwrap_or(self.reported_at).to_string());
        put("ce_reportedat", self.reported_at.to_string());
        put("ce_actorkind", self.actor.kind.to_string());
        put("ce_actorid", self.actor.id.clone());
        let mut put_some = |name: &str, value: Option<String>| {
            if let Some(value) = value {
                put(name, value);
            }
        };
        put_some("ce_n", self.n.map(|n| n.to_string()));
        put_some("ce_cause", self.cause.map(|cause| cause.to_string()));
        put_some("ce_epoch", self.epoch.map(|epoch| epoch.to_string()));
        put_some("ce_brain", self.brain.map(|brain| brain.to_string()));
        put_some(
            "ce_rollout",
            self.rollout.map(|rollout| rollout.to_string()),
        );
        put_some(
            "ce_command",
            self.command.as_ref().map(CommandId::to_string),
        );
        put_some("ce_prev", self.prev.map(|prev| prev.to_string()));
        put_some("ce_traceparent", self.traceparent.clone());
        put("content-type", "application/json".to_owned());
        headers
    }

    /// From record headers. Headers it does not know are passed over.
    ///
    /// # Errors
    /// [`HeaderError`] names the header that is missing or cannot be read.
    pub fn from_headers(headers: &[(String, String)]) -> Result<Self, HeaderError> {
        let headers = Lookup(headers);
        let n = headers.parsed("ce_n")?;
        let time: Timestamp = headers.required("ce_time")?;
        Ok(Self {
            id: headers.required("ce_id")?,
            kind: headers.required("ce_type")?,
            version: headers.required("ce_typeversion")?,
            subject: headers.required("ce_subject")?,
            at: n.is_some().then_some(time),
            n,
            reported_at: headers.required("ce_reportedat")?,
            source: headers.required("ce_source")?,
            actor: Actor {
                kind: headers
                    .text("ce_actorkind")
                    .map(ActorKind::from)
                    .ok_or(HeaderError::Missing("ce_actorkind"))?,
                id: headers.required("ce_actorid")?,
            },
            cause: headers.parsed("ce_cause")?,
            epoch: headers.parsed("ce_epoch")?,
            brain: headers.parsed("ce_brain")?,
            rollout: headers.parsed("ce_rollout")?,
            command: headers.parsed("ce_command")?,
            prev: headers.parsed("ce_prev")?,
            traceparent: headers.parsed("ce_traceparent")?,
        })
    }
}

impl FromStr for Cause {
    type Err = crate::id::ParseIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "clock" {
            Ok(Self::Clock)
        } else {
            text.parse().map(Self::Report)
        }
    }
}

impl FromStr for Source {
    type Err = crate::id::ParseIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parts: Vec<&str> = text.splitn(3, '/').collect();
        let [process, instance, version] = parts.as_slice() else {
            return Err(Self::Err::new("source", text, "process/instance/version"));
        };
        let owned = |text: &&str| (*text).to_owned();
        Ok(Self {
            process: owned(process),
            instance: owned(instance),
            version: owned(version),
        })
    }
}

struct Lookup<'a>(&'a [(String, String)]);

impl Lookup<'_> {
    fn text(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    fn parsed<T>(&self, name: &'static str) -> Result<Option<T>, HeaderError>
    where
        T: FromStr,
        T::Err: fmt::Display,
    {
        self.text(name)
            .map(str::parse)
            .transpose()
            .map_err(|error: T::Err| HeaderError::Wrong {
                name,
                why: error.to_string(),
            })
    }

    fn required<T>(&self, name: &'static str) -> Result<T, HeaderError>
    where
        T: FromStr,
        T::Err: fmt::Display,
    {
        self.parsed(name)?.ok_or(HeaderError::Missing(name))
    }
}
