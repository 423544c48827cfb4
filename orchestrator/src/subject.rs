//! What one partition holds: targets and machines, each with the end of its chain.

use std::collections::BTreeMap;

use bus::Record;
use events::{
    Decision, Digest, Envelope, Event, Link, MachineName, RolloutId, Subject, Target, verify_link,
};
use rollout::{BRAIN, Machine, Stamp, State, apply, apply_machine, catalogue, unknown_brain};
use serde::{Deserialize, Serialize};
use view::RolloutView;

/// The end of a subject's chain: the number and digest of its last event.
pub type Head = Option<(u64, Digest)>;

/// One target, as folded so far.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct TargetSlot {
    pub(crate) state: State,
    pub(crate) head: Head,
    /// Why it stands still: an event that this version cannot read, or a broken chain. Not kept:
    /// another version may be able to.
    #[serde(skip)]
    pub(crate) stopped: Option<String>,
    /// It has changed since the states were last kept.
    #[serde(skip)]
    pub(crate) changed: bool,
    /// Why its latest catalogue entry could not be read; none: it could.
    #[serde(skip)]
    unread: Option<String>,
    /// Its state has passed over something that only another version understands. It is never kept,
    /// but folded from its first event again.
    #[serde(skip)]
    passed_over: bool,
    /// Rollouts as people see them, by id; the newest last.
    pub(crate) shown: BTreeMap<RolloutId, RolloutView>,
}

/// One machine, as folded so far.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct MachineSlot {
    pub(crate) machine: Machine,
    pub(crate) head: Head,
    /// Why it stands still. Whether its key counts is not known then: it does not.
    #[serde(skip)]
    pub(crate) stopped: Option<String>,
    /// It has changed since the states were last kept.
    #[serde(skip)]
    pub(crate) changed: bool,
    /// The last key that counted, also after a revocation.
    pub(crate) last_key: Option<String>,
}

/// Everything in a partition.
#[derive(Debug, Default)]
pub(crate) struct Subjects {
    pub(crate) targets: BTreeMap<Target, TargetSlot>,
    pub(crate) machines: BTreeMap<MachineName, MachineSlot>,
    /// The offset of the last event in here.
    through: u64,
    /// What a kept state knows of: events up to here are folded only where it does not have them.
    kept_through: Option<u64>,
    /// The offset of the first event before which a subject stands still.
    stopped_at: Option<u64>,
    /// Events since the states were last kept.
    since_kept: u64,
}

impl TargetSlot {
    pub(crate) fn new(target: &Target) -> Self {
        Self {
            state: State::new(target.clone()),
            head: None,
            stopped: None,
            changed: true,
            unread: None,
            passed_over: false,
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
            changed: true,
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

    /// Without any event after `offset`; what is kept of the others is still to be put in.
    pub(crate) fn after(offset: u64) -> Self {
        Self {
            through: offset,
            kept_through: Some(offset),
            ..Self::default()
        }
    }

    /// The offset of the last event in here.
    pub(crate) fn through(&self) -> u64 {
        self.through
    }

    /// What lies behind this offset must be folded by whoever starts with these states.
    pub(crate) fn fold_after(&self) -> Option<u64> {
        match self.stopped_at {
            Some(0) => None,
            Some(offset) => Some(offset - 1),
            None => Some(self.through),
        }
    }

    /// The targets whose states may be kept.
    pub(crate) fn targets_to_keep(&self) -> impl Iterator<Item = (&Target, &TargetSlot)> {
        self.targets.iter().filter(|(_, slot)| !slot.passed_over)
    }

    /// Every subject that is kept, with the number of its last event.
    pub(crate) fn numbers(&self) -> BTreeMap<String, u64> {
        let number = |head: Head| head.map_or(0, |(n, _)| n);
        let targets = self.targets_to_keep();
        let targets = targets.map(|(name, slot)| (name.to_string(), number(slot.head)));
        let machines = self.machines.iter();
        let machines = machines.map(|(name, slot)| {
            let key = Subject::Machine(name.clone()).to_string();
            (key, number(slot.head))
        });
        targets.chain(machines).collect()
    }

    /// Whether so much is new that the states should be kept.
    pub(crate) fn want_keeping(&self, every: u64) -> bool {
        self.since_kept >= every
    }

    /// The states as they are now have been kept.
    pub(crate) fn kept(&mut self) {
        self.since_kept = 0;
        self.targets
            .values_mut()
            .for_each(|slot| slot.changed = false);
        self.machines
            .values_mut()
            .for_each(|slot| slot.changed = false);
    }

    /// They could not be kept, and may be when as much is new again.
    pub(crate) fn keep_later(&mut self) {
        self.since_kept = 0;
    }

    /// These events were appended by ourselves.
    pub(crate) fn appended(&mut self, offsets: &[u64]) {
        self.since_kept += offsets.len() as u64;
        self.through = offsets.iter().copied().fold(self.through, u64::max);
    }

    /// Nothing more is folded or decided for a subject.
    fn stop(&mut self, key: &str, why: String) {
        match key.parse() {
            Ok(Subject::Target(target)) => self.target(&target).stopped = Some(why),
            Ok(Subject::Machine(machine)) => self.machine(&machine).stopped = Some(why),
            Ok(Subject::Partition(_)) | Err(_) => {}
        }
    }

    /// All is folded that there is. A target stands still whose rollout, or whose latest entry, only
    /// another version of us understands: whatever was decided now would be a guess.
    pub(crate) fn end_fold(&mut self) {
        for slot in self.targets.values_mut() {
            let why = slot.unread.take().or_else(|| slot.old_plan());
            if let Some(why) = why.filter(|_| slot.stopped.is_none()) {
                slot.stop(why);
                slot.passed_over = true;
            }
            if slot.passed_over {
                self.stopped_at = Some(0);
            }
        }
    }

    /// Folds one stored event. One that cannot be folded stops its target; the others go on.
    pub(crate) fn fold(&mut self, record: &Record) {
        self.appended(&[record.offset]);
        let going_on = match Envelope::from_headers(&record.headers) {
            Ok(envelope) if self.knows(record, &envelope) => true,
            Ok(envelope) => match &envelope.subject {
                Subject::Target(target) => self.target(target).fold(record, &envelope),
                Subject::Machine(machine) => self.machine(machine).fold(record, &envelope),
                Subject::Partition(_) => true,
            },
            Err(error) => {
                let why = format!("event at offset {}: {error}", record.offset);
                tracing::error!(key = record.key, why, "an event has no readable envelope");
                self.stop(&record.key, why);
                false
            }
        };
        if !going_on {
            let first = self.stopped_at.unwrap_or(record.offset);
            self.stopped_at = Some(first.min(record.offset));
        }
    }

    /// Whether a kept state has the event already; its place in the chain was seen when that was
    /// folded.
    fn knows(&self, record: &Record, envelope: &Envelope) -> bool {
        if self.kept_through.is_none_or(|kept| record.offset > kept) {
            return false;
        }
        let head = match &envelope.subject {
            Subject::Target(target) => self.targets.get(target).and_then(|slot| slot.head),
            Subject::Machine(machine) => self.machines.get(machine).and_then(|slot| slot.head),
            Subject::Partition(_) => None,
        };
        head.zip(envelope.n)
            .is_some_and(|((known, _), n)| n <= known)
    }
}

/// Why an entry was passed over: each was read by whoever let it into the log.
fn of_another_version(entry: &str, target: &Target) -> String {
    let what = match catalogue::entry_of(entry, target) {
        Ok(_) => "nothing asked for it".to_owned(),
        Err(problems) => problems
            .0
            .first()
            .map_or_else(String::new, ToString::to_string),
    };
    format!("its catalogue entry is for another version of Poolshift ({what}): start that again")
}

/// What is wrong with rules that are to come; none: they are no newer than ours.
fn newer(brain: u16) -> Option<String> {
    unknown_brain(brain).filter(|_| brain > BRAIN)
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
    // One that was decided by older rules is folded like any other: it is so.
    if let Some(why) = envelope.brain.and_then(newer) {
        return Err(why);
    }
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
    /// Whether it goes on.
    fn fold(&mut self, record: &Record, envelope: &Envelope) -> bool {
        if self.stopped.is_some() {
            return false;
        }
        match read(record, envelope, self.head) {
            Ok((event, stamp, head)) => {
                self.note(&event, stamp);
                apply(&mut self.state, &event, stamp);
                self.head = head;
                self.changed = true;
                if let Err(why) = self.understood(&event) {
                    self.stop(format!("event at offset {}: {why}", record.offset));
                    self.passed_over = true;
                }
            }
            Err(why) => self.stop(format!("event at offset {}: {why}", record.offset)),
        }
        self.stopped.is_none()
    }

    /// The fold passes over an entry that it cannot read, and over a plan with such an entry. A
    /// later entry may take the place of the first; nothing can take that of the second.
    fn understood(&mut self, event: &Event) -> Result<(), String> {
        match event {
            Event::Decision(Decision::ServiceDefined(defined)) => {
                let unread = self.state.entry_sha256 != Some(defined.sha256);
                self.unread =
                    unread.then(|| of_another_version(&defined.entry, &self.state.target));
                Ok(())
            }
            Event::Decision(Decision::RolloutPlanned(planned)) => {
                let plan = planned.plan.value();
                if let Some(why) = newer(plan.brain) {
                    return Err(why);
                }
                let rollout = self.state.rollout.as_ref();
                if rollout.is_some_and(|rollout| rollout.digest == planned.digest) {
                    return Ok(());
                }
                Err(of_another_version(&plan.entry, &plan.target))
            }
            Event::Decision(_) | Event::Answer(_) => Ok(()),
        }
    }

    /// What is wrong with the rules of the rollout that runs; none: they are known.
    fn old_plan(&self) -> Option<String> {
        let rollout = self.state.rollout.as_ref()?;
        let why = unknown_brain(rollout.plan.brain)?;
        Some(format!("its rollout of {}: {why}", rollout.plan.version))
    }

    fn stop(&mut self, why: String) {
        tracing::error!(target = %self.state.target, why, "the target stands still");
        self.stopped = Some(why);
    }
}

impl MachineSlot {
    /// Whether it goes on.
    fn fold(&mut self, record: &Record, envelope: &Envelope) -> bool {
        if self.stopped.is_some() {
            return false;
        }
        match read(record, envelope, self.head) {
            Ok((event, stamp, head)) => {
                apply_machine(&mut self.machine, &event, stamp.at);
                self.head = head;
                self.keep_key();
                self.changed = true;
            }
            Err(why) => {
                tracing::error!(machine = %self.machine.machine, why, "the machine stands still");
                self.stopped = Some(why);
            }
        }
        self.stopped.is_none()
    }

    pub(crate) fn keep_key(&mut self) {
        if self.machine.public_key.is_some() {
            self.last_key.clone_from(&self.machine.public_key);
        }
    }
}
