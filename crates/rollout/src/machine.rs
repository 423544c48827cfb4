//! Machines: whose agent's key counts. A subject of its own, beside the targets.

use events::{AgentEnrolled, AgentRevoked, Ask, Decision, Event, MachineName, Report, Timestamp};
use serde::{Deserialize, Serialize};

use crate::decide::{Heard, Reply};

/// What is so about one machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Machine {
    /// Which machine.
    pub machine: MachineName,
    /// Events folded so far.
    pub n: u64,
    /// Time of the last one.
    pub at: Timestamp,
    /// The key that counts, base64; none before enrolment and after revocation.
    pub public_key: Option<String>,
}

impl Machine {
    /// A machine of which nothing is known.
    #[must_use]
    pub const fn new(machine: MachineName) -> Self {
        Self {
            machine,
            n: 0,
            at: Timestamp::ZERO,
            public_key: None,
        }
    }
}

/// Decides what a report means for a machine.
#[must_use]
pub fn decide_machine(machine: &Machine, heard: &Heard) -> Reply {
    match &heard.report {
        Report::Ask(Ask::EnrolAgent(enrol)) => {
            if machine.public_key.as_ref() == Some(&enrol.public_key) {
                return Reply::default();
            }
            Event::from(AgentEnrolled {
                machine: enrol.machine.clone(),
                public_key: enrol.public_key.clone(),
            })
            .into()
        }
        Report::Ask(Ask::RevokeAgent(revoke)) => {
            if machine.public_key.is_none() {
                return Reply::default();
            }
            Event::from(AgentRevoked {
                machine: revoke.machine.clone(),
                by: heard.actor.clone(),
                reason: revoke.reason.clone(),
            })
            .into()
        }
        Report::Ask(_) | Report::Answer(_) => {
            Reply::refuse("a machine can only be enrolled or revoked")
        }
    }
}

/// Folds one event of a machine.
pub fn apply_machine(machine: &mut Machine, event: &Event, at: Timestamp) {
    machine.n += 1;
    machine.at = machine.at.max(at);
    match event {
        Event::Decision(Decision::AgentEnrolled(enrolled)) => {
            machine.public_key = Some(enrolled.public_key.clone());
        }
        Event::Decision(Decision::AgentRevoked(_)) => machine.public_key = None,
        Event::Decision(_) | Event::Answer(_) => {}
    }
}
