//! What one partition holds: targets and machines, each with the end of its chain.

use std::collections::BTreeMap;

use bus::Record;
use events::{
    Decision, Digest, Envelope, Event, Link, MachineName, RolloutId, Subject, Target, verify_link,
};
use rollout::{Machine, Stamp, State, apply, apply_machine};
use view::RolloutView;

/// The end of a subject's chain: the number and digest of its last event.
pub(crate) type Head = Option<(u64, Digest)>;

/// One target, as folded so far.
#[derive(Debug, Clone)]
pub(crate) struct TargetSlot {
    pub(crate) state: State,
    pub(crate) head: Head,
    /// Why it stands still: an event that this version cannot read, or a broken chain.
    pub(crate) stopped: Option<String>,
    /// Rollouts as people see them, by id; the newest last.
    pub(crate) shown: BTreeMap<RolloutId, RolloutView>,
}

/// One machine, as folded so far.
#[derive(Debug, Clone)]
pub(crate) struct MachineSlot {
    pub(crate) machine: Machine,
    pub(crate) head: Head,
    /// Why it stands still.
    pub(crate) stopped: Option<String>,
    /// The last key that counted, also after a revocation.
    pub(crate) last_key: Option<String>,
}

/// Everything in a partition.
#[derive(Debug, Default)]
pub(crate) struct Subjects {
    pub(crate) targets: BTreeMap<Target, TargetSlot>,
    pub(crate) machines: BTreeMap<MachineName, MachineSlot>,
}

impl TargetSlot {
    pub(crate) fn new(target: &Target) -> Self {
        Self {
            state: State::new(target.clone()),
            head: None,
            stopped: None,
            shown: BTreeMap::new(),
        }
    }
}

impl MachineSlot {
    pub(crate) fn new(machine: &MachineName) -> Self {
        Self {
            machine: Machine::new(machine.clone()),
            head: None,
            stopped: None,
            last_key: None,
        }
    }
}

impl Subjects {
    pub(crate) fn target(&mut self, target: &Target) -> &mut TargetSlot {
        self.targets
            .entry(target.clone())
            .or_insert_with(|| TargetSlot::new(target))
    }

    pub(crate) fn machine(&mut self, machine: &MachineName) -> &mut MachineSlot {
        self.machines
            .entry(machine.clone())
            .or_insert_with(|| MachineSlot::new(machine))
    }

    /// Nothing more is folded or decided for a subject.
    fn stop(&mut self, key: &str, why: String) {
        match key.parse() {
            Ok(Subject::Target(target)) => self.target(&target).stopped = Some(why),
            Ok(Subject::Machine(machine)) => self.machine(&machine).stopped = Some(why),
            Ok(Subject::Partition(_)) | Err(_) => {}
        }
    }

    /// Folds one stored event. One that cannot be folded stops its target; the others go on.
    pub(crate) fn fold(&mut self, record: &Record) {
        let envelope = match Envelope::from_headers(&record.headers) {
            Ok(envelope) => envelope,
            Err(error) => {
                let why = format!("event at offset {}: {error}", record.offset);
                tracing::error!(key = record.key, why, "an event has no readable envelope");
                self.stop(&record.key, why);
                return;
            }
        };
        match &envelope.subject {
            Subject::Target(target) => self.target(target).fold(record, &envelope),
            Subject::Machine(machine) => self.machine(machine).fold(record, &envelope),
            Subject::Partition(_) => {}
        }
    }
}

/// The event in a record, and the end of the chain with it.
fn read(record: &Record, envelope: &Envelope, head: Head) -> Result<(Event, Stamp, Head), String> {
    let stored = Link {
        headers: &record.headers,
        value: &record.value,
    };
    let head = verify_link(head, stored).map_err(|error| error.to_string())?;
    let event = Event::from_bytes(&envelope.kind, envelope.version, &record.value)
        .map_err(|error| error.to_string())?;
    if let Event::Decision(Decision::RolloutPlanned(planned)) = &event
        && planned.plan.digest() != planned.digest
    {
        return Err("its plan is not the one that its digest names".to_owned());
    }
    let (Some(at), Some(cause)) = (envelope.at, envelope.cause) else {
        return Err("it has no time or no cause".to_owned());
    };
    Ok((event, Stamp { at, cause }, Some(head)))
}

impl TargetSlot {
    fn fold(&mut self, record: &Record, envelope: &Envelope) {
        if self.stopped.is_some() {
            return;
        }
        match read(record, envelope, self.head) {
            Ok((event, stamp, head)) => {
                self.note(&event, stamp);
                apply(&mut self.state, &event, stamp);
                self.head = head;
            }
            Err(why) => {
                let why = format!("event at offset {}: {why}", record.offset);
                tracing::error!(target = %self.state.target, why, "the target stands still");
                self.stopped = Some(why);
            }
        }
    }
}

impl MachineSlot {
    fn fold(&mut self, record: &Record, envelope: &Envelope) {
        if self.stopped.is_some() {
            return;
        }
        match read(record, envelope, self.head) {
            Ok((event, stamp, head)) => {
                apply_machine(&mut self.machine, &event, stamp.at);
                self.head = head;
                self.keep_key();
            }
            Err(why) => {
                tracing::error!(machine = %self.machine.machine, why, "the machine stands still");
                // Whether its key counts is not known any more: it does not.
                self.machine.public_key = None;
                self.stopped = Some(why);
            }
        }
    }

    pub(crate) fn keep_key(&mut self) {
        if self.machine.public_key.is_some() {
            self.last_key.clone_from(&self.machine.public_key);
        }
    }
}
