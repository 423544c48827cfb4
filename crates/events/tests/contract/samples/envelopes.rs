//! Headers of records.

use super::Sample;
use super::base::*;
use poolshift_events::*;

pub(crate) fn samples() -> Vec<Sample> {
    vec![
        headers("headers.event", event_envelope()),
        headers("headers.report", report_envelope()),
        headers("headers.ownership", ownership_envelope()),
    ]
}

/// Headers are no JSON on the wire; as a list of pairs a golden file can hold them in order.
fn headers(name: &str, value: Envelope) -> Sample {
    let malformed = |why: String| Unreadable::Malformed {
        kind: "headers".to_owned(),
        why,
    };
    Sample::new(
        name.to_owned(),
        value,
        |envelope: &Envelope| serde_json::to_vec(&envelope.to_headers()).unwrap(),
        move |bytes| {
            let pairs: Vec<(String, String)> =
                serde_json::from_slice(bytes).map_err(|error| malformed(error.to_string()))?;
            Envelope::from_headers(&pairs).map_err(|error| malformed(error.to_string()))
        },
    )
}

fn source(process: &str) -> Source {
    Source {
        process: process.to_owned(),
        instance: "srv-101".to_owned(),
        version: "0.1.0".to_owned(),
    }
}

fn report_id() -> ReportId {
    "0198d6f0-1c2d-7e3f-8a4b-5c6d7e8f9a0b".parse().unwrap()
}

fn report_envelope() -> Envelope {
    let report = Report::from(Answer::from(CommandStarted {
        command: command_id("install"),
    }));
    let agent = Actor {
        kind: ActorKind::Agent,
        id: machine().to_string(),
    };
    Envelope::of_report(
        report_id(),
        &report,
        Subject::Target(target()),
        time(1_500),
        source("agent"),
        agent,
    )
}

/// The headers of an event with everything that an event can have.
pub(crate) fn event_envelope() -> Envelope {
    let subject = Subject::Target(target());
    Envelope {
        id: Envelope::event_id(&subject, 42),
        n: Some(42),
        at: Some(time(2_000)),
        source: source("orchestrator"),
        cause: Some(Cause::Report(report_id())),
        epoch: Some(7),
        brain: Some(1),
        prev: Some(digest("event 41 as stored")),
        traceparent: Some("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".to_owned()),
        ..report_envelope()
    }
}

fn ownership_envelope() -> Envelope {
    let event = Event::from(OwnershipTaken {
        partition: 5,
        base: 0,
    });
    let subject = Subject::Partition(5);
    Envelope {
        id: Envelope::event_id(&subject, 1),
        kind: event.kind().to_owned(),
        version: event.version(),
        n: Some(1),
        actor: Actor {
            kind: ActorKind::Process,
            id: "orchestrator".to_owned(),
        },
        cause: Some(Cause::Clock),
        rollout: None,
        command: None,
        prev: None,
        traceparent: None,
        subject,
        ..event_envelope()
    }
}
