//! One target or machine, decided again.

use bus::Record;
use events::{Cause, Decision, Digest, Envelope, Event, Link, Subject, Timestamp, verify_link};
use rollout::{
    Input, Machine, Stamp, State, apply, apply_machine, decide_machine, settle, unknown_brain,
};

use super::inputs::Inputs;
use super::{Difference, Head};

/// An event with what stands around it.
#[derive(Debug)]
struct Stored {
    n: u64,
    event: Event,
    stamp: Stamp,
    epoch: Option<u64>,
    brain: Option<u16>,
    shown: String,
}

/// What a decision is, of targets and of machines.
enum Fold {
    Target(Box<State>),
    Machine(Machine),
    Nothing,
}

/// One subject's replay.
pub(super) struct Replay<'a> {
    inputs: &'a Inputs,
    chain: Option<(u64, Digest)>,
    pub(super) same: u64,
    pub(super) skipped: u64,
}

impl<'a> Replay<'a> {
    pub(super) const fn new(inputs: &'a Inputs) -> Self {
        Self {
            inputs,
            chain: None,
            same: 0,
            skipped: 0,
        }
    }

    pub(super) fn head(&self, subject: &Subject) -> Option<Head> {
        self.chain.map(|(n, sha256)| Head {
            subject: subject.to_string(),
            n,
            sha256,
        })
    }

    /// Verifies the chain and decides everything again, up to the first difference.
    pub(super) fn all(
        &mut self,
        subject: &Subject,
        records: &[(Envelope, Record)],
    ) -> Result<(), Box<Difference>> {
        let mut stored = Vec::new();
        for (envelope, record) in records {
            stored.push(self.read(subject, envelope, record)?);
        }
        let mut fold = Fold::new(subject);
        for decision in stored.chunk_by(one_decision) {
            self.decide(subject, &fold, decision)?;
            for stored in decision {
                fold.take(stored);
            }
        }
        Ok(())
    }

    fn read(
        &mut self,
        subject: &Subject,
        envelope: &Envelope,
        record: &Record,
    ) -> Result<Stored, Box<Difference>> {
        let n = envelope.n.unwrap_or_default();
        let wrong = |what: String| {
            Box::new(Difference {
                subject: subject.to_string(),
                n,
                what,
                recorded: Vec::new(),
                decided: Vec::new(),
            })
        };
        let link = Link {
            headers: &record.headers,
            value: &record.value,
        };
        let chain = verify_link(self.chain, link).map_err(|error| wrong(error.to_string()))?;
        self.chain = Some(chain);
        let event = Event::from_bytes(&envelope.kind, envelope.version, &record.value)
            .map_err(|error| wrong(error.to_string()))?;
        let (Some(at), Some(cause)) = (envelope.at, envelope.cause) else {
            return Err(wrong("it has no time, or no cause".to_owned()));
        };
        Ok(Stored {
            n,
            event,
            stamp: Stamp { at, cause },
            epoch: envelope.epoch,
            brain: envelope.brain,
            shown: shown(&envelope.kind, &record.value),
        })
    }

    fn decide(
        &mut self,
        subject: &Subject,
        fold: &Fold,
        decision: &[Stored],
    ) -> Result<(), Box<Difference>> {
        let Some(first) = decision.first() else {
            return Ok(());
        };
        let heard = match first.stamp.cause {
            Cause::Clock => None,
            Cause::Report(id) => {
                let heard = self.inputs.get(id);
                if heard.is_none() {
                    self.skipped += 1;
                    return Ok(());
                }
                heard
            }
        };
        if first
            .brain
            .is_none_or(|brain| unknown_brain(brain).is_some())
        {
            self.skipped += 1;
            return Ok(());
        }
        let input = match (heard, &first.event) {
            (Some(heard), _) => Input::Report(heard),
            (None, Event::Decision(Decision::OwnerChanged(changed))) => Input::Owner(changed.epoch),
            (None, Event::Decision(_) | Event::Answer(_)) => Input::Clock,
        };
        let decided = fold.decide(&input, first.stamp.at);
        let recorded: Vec<String> = decision.iter().map(|stored| stored.shown.clone()).collect();
        if decided == recorded {
            self.same += 1;
            return Ok(());
        }
        Err(Box::new(Difference {
            subject: subject.to_string(),
            n: first.n,
            what: format!("decided otherwise, caused by {}", first.stamp.cause),
            recorded,
            decided,
        }))
    }
}

impl Fold {
    fn new(subject: &Subject) -> Self {
        match subject {
            Subject::Target(target) => Self::Target(Box::new(State::new(target.clone()))),
            Subject::Machine(machine) => Self::Machine(Machine::new(machine.clone())),
            Subject::Partition(_) => Self::Nothing,
        }
    }

    fn take(&mut self, stored: &Stored) {
        match self {
            Self::Target(state) => apply(state, &stored.event, stored.stamp),
            Self::Machine(machine) => apply_machine(machine, &stored.event, stored.stamp.at),
            Self::Nothing => {}
        }
    }

    /// The events that follow from an input, as they would be written.
    fn decide(&self, input: &Input<'_>, at: Timestamp) -> Vec<String> {
        let events: Vec<Event> = match (self, input) {
            (Self::Target(state), _) => {
                let settled = settle(state, input, at);
                settled.events.into_iter().map(|(event, _)| event).collect()
            }
            (Self::Machine(machine), Input::Report(heard)) => decide_machine(machine, heard).events,
            (Self::Machine(_) | Self::Nothing, _) => Vec::new(),
        };
        events
            .iter()
            .map(|event| shown(event.kind(), &event.to_bytes()))
            .collect()
    }
}

fn one_decision(one: &Stored, next: &Stored) -> bool {
    one.stamp == next.stamp && one.epoch == next.epoch
}

fn shown(kind: &str, body: &[u8]) -> String {
    format!("{kind} {}", String::from_utf8_lossy(body))
}
