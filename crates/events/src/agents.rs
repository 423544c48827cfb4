//! The agents' wire: what an agent and the gateway say to each other over HTTPS. What holds a
//! secret has no `Debug` that shows it.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::answer::Answer;
use crate::command::CommandRecord;
use crate::id::ReportId;
use crate::look::Look;
use crate::name::{MachineName, Target};
use crate::report::Report;
use crate::time::Timestamp;

/// A one-time code that `poolshift agent enrol` prints.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EnrolmentCode {
    /// The machine it is good for.
    pub machine: MachineName,
    /// The code itself: a secret.
    pub code: String,
    /// When it ends.
    pub expires_at: Timestamp,
}

/// `POST /agents/v1/enrol`: an agent trades a code and its public key for a token.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Enrolment {
    /// Its machine.
    pub machine: MachineName,
    /// The one-time code.
    pub code: String,
    /// Its Ed25519 public key, base64.
    pub public_key: String,
    /// Base64 Ed25519 signature, by that key, over `machine\ncode\npublic_key`.
    pub signature: String,
}

/// The answer to [`Enrolment`], and to a renewal by signature.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Enrolled {
    /// The token to send as `Authorization: Bearer`.
    pub token: String,
    /// When it ends.
    pub expires_at: Timestamp,
}

impl fmt::Debug for EnrolmentCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EnrolmentCode")
            .field("machine", &self.machine)
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Enrolment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Enrolment")
            .field("machine", &self.machine)
            .field("public_key", &self.public_key)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Enrolled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Enrolled")
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
}

/// What a poll asks for: the `ETag` it has (`If-None-Match`) and how long it waits
/// (`Prefer: wait=30`). These are the bounds of that wait, in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PollTerms;

impl PollTerms {
    /// The wait when none is asked for.
    pub const WAIT_S_DEFAULT: u64 = 30;
    /// The longest wait.
    pub const WAIT_S_MAX: u64 = 60;
}

/// `GET /agents/v1/commands`: the records of all servers on this machine, and only of those.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PollAnswer {
    /// The gateway's time. Agents count what remains on their own monotonic clock.
    pub server_time: Timestamp,
    /// One for each server on the machine that ever had a command.
    pub assignments: Vec<Assignment>,
    /// A new token, when the present one is half way through its life.
    pub renewed: Option<Enrolled>,
    /// What somebody wants to know of this machine now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub look: Option<Look>,
}

/// One server's record, with what remains of its time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Assignment {
    /// The record as it stands in the stream of commands.
    pub record: CommandRecord,
    /// Milliseconds, as of `server_time`, in which work must have begun. Counted by the agent on its
    /// own monotonic clock.
    pub start_within_ms: u64,
    /// Milliseconds, as of `server_time`, after which the agent must not begin or go on.
    pub remains_ms: u64,
}

/// One report of an agent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WireReport {
    /// UUIDv7, kept over retries.
    pub id: ReportId,
    /// The target it is about.
    pub target: Target,
    /// The agent's clock: evidence only.
    pub reported_at: Timestamp,
    /// Wire name of the body.
    pub kind: String,
    /// Version of the wire type.
    pub version: u16,
    /// W3C trace context of the command.
    pub traceparent: Option<String>,
    /// The body, as JSON.
    pub body: serde_json::Value,
}

impl WireReport {
    /// The report inside.
    ///
    /// # Errors
    /// [`Unreadable`](crate::Unreadable) when it is none of ours.
    pub fn report(&self) -> Result<Report, crate::Unreadable> {
        Report::from_bytes(&self.kind, self.version, &crate::payload::write(&self.body))
    }

    /// The answer inside, which is all that an agent may say: no request and no vote is read here.
    ///
    /// # Errors
    /// [`Unreadable`](crate::Unreadable) when it is no answer of ours.
    pub fn answer(&self) -> Result<Answer, crate::Unreadable> {
        Answer::from_bytes(&self.kind, self.version, &crate::payload::write(&self.body))
    }
}

/// `POST /agents/v1/reports`: reports in the order they happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReportBatch {
    /// The reports.
    pub reports: Vec<WireReport>,
}

/// What became of one report; the agent keeps a report until it is taken or refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReportOutcome {
    /// Which report.
    pub id: ReportId,
    /// Whether it is durable. False: it never will be, see `why`.
    pub taken: bool,
    /// Why it was refused.
    pub why: Option<String>,
}
