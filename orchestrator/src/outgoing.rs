//! From decisions to records.

use bus::{Outgoing, Record};
use events::{
    Actor, ActorKind, Cause, CommandRecord, Envelope, Epoch, Event, Link, OwnershipTaken, Report,
    Source, Subject, Timestamp, link, partition_of,
};
use rollout::{BRAIN, Told};
use uuid::Uuid;

use crate::subject::Head;

/// What stands around the events of one decision.
#[derive(Debug, Clone)]
pub struct Around<'a> {
    /// The orchestrator that decided.
    pub instance: &'a str,
    /// Whose events they are.
    pub subject: Subject,
    /// When it was decided.
    pub at: Timestamp,
    /// The owner's epoch.
    pub epoch: Epoch,
    /// Who is behind the report that led to them; none: we are.
    pub actor: Option<&'a Actor>,
    /// The trace that it belongs to, as W3C writes it.
    pub traceparent: Option<&'a str>,
}

pub(crate) fn source(instance: &str) -> Source {
    Source {
        process: "orchestrator".to_owned(),
        instance: instance.to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
    }
}

fn ourselves(instance: &str) -> Actor {
    Actor {
        kind: ActorKind::Process,
        id: format!("orchestrator/{instance}"),
    }
}

impl Around<'_> {
    /// The records of a decision's events, linked to the chain; and its new end.
    #[must_use]
    pub fn records(&self, events: &[(Event, Cause)], head: Head) -> (Vec<Outgoing>, Head) {
        let mut head = head;
        let mut records = Vec::with_capacity(events.len());
        for (event, cause) in events {
            let n = head.map_or(1, |(n, _)| n + 1);
            let headers = self.envelope(event, *cause, n, head).to_headers();
            let value = event.to_bytes();
            head = Some((
                n,
                link(Link {
                    headers: &headers,
                    value: &value,
                }),
            ));
            records.push(Outgoing {
                key: self.subject.to_string(),
                headers,
                value,
            });
        }
        (records, head)
    }

    /// A word to another target, and the partition of that one's reports.
    pub(crate) fn told(&self, told: Told) -> (u32, Outgoing) {
        let subject = Subject::Target(told.to);
        let report = Report::from(told.report);
        let mut envelope = Envelope::of_report(
            told.id,
            &report,
            subject.clone(),
            self.at,
            source(self.instance),
            ourselves(self.instance),
        );
        envelope.traceparent = self.traceparent.map(str::to_owned);
        let record = Outgoing {
            key: subject.to_string(),
            headers: envelope.to_headers(),
            value: report.to_bytes(),
        };
        (partition_of(&subject), record)
    }

    fn envelope(&self, event: &Event, cause: Cause, n: u64, head: Head) -> Envelope {
        Envelope {
            id: Envelope::event_id(&self.subject, n),
            kind: event.kind().to_owned(),
            version: event.version(),
            subject: self.subject.clone(),
            n: Some(n),
            at: Some(self.at),
            reported_at: self.at,
            source: source(self.instance),
            actor: self
                .actor
                .cloned()
                .unwrap_or_else(|| ourselves(self.instance)),
            cause: Some(cause),
            epoch: Some(self.epoch),
            brain: Some(BRAIN),
            rollout: event.rollout(),
            command: event.command().cloned(),
            prev: head.map(|(_, digest)| digest),
            traceparent: self.traceparent.map(str::to_owned),
        }
    }
}

/// The record of one server.
#[must_use]
pub fn command_record(record: &CommandRecord) -> Outgoing {
    Outgoing {
        key: record.key(),
        headers: vec![("content-type".to_owned(), "application/json".to_owned())],
        value: record.to_bytes(),
    }
}

/// The record with which a partition is taken. It has no number: whoever takes a partition has not
/// read it yet. Its epoch is `base` plus its own offset.
pub(crate) fn taken(instance: &str, partition: u32, base: Epoch, at: Timestamp) -> Outgoing {
    let event = Event::from(OwnershipTaken { partition, base });
    let subject = Subject::Partition(partition);
    let envelope = Envelope {
        id: Uuid::now_v7(),
        kind: event.kind().to_owned(),
        version: event.version(),
        subject: subject.clone(),
        n: None,
        at: None,
        reported_at: at,
        source: source(instance),
        actor: ourselves(instance),
        cause: Some(Cause::Clock),
        epoch: None,
        brain: Some(BRAIN),
        rollout: None,
        command: None,
        prev: None,
        traceparent: None,
    };
    Outgoing {
        key: subject.to_string(),
        headers: envelope.to_headers(),
        value: event.to_bytes(),
    }
}

/// A report that was not taken, with the reason.
pub(crate) fn rejected(report: &Record, why: &str) -> Outgoing {
    let mut headers = report.headers.clone();
    headers.push(("poolshift-refused".to_owned(), events::cut(why, 4096)));
    Outgoing {
        key: report.key.clone(),
        headers,
        value: report.value.clone(),
    }
}
