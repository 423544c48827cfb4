//! One input, decided and written.

use bus::{Commit, Record};
use events::{Actor, Cause, Envelope, Event, MachineName, Report, ReportId, Subject, Target};
use rollout::{Heard, Input, Settled, Stamp, apply_machine, decide_machine, records, settle, tell};
use tokio::sync::watch;

use crate::lane::{Lane, Written, now};
use crate::outgoing::{self, Around};

/// A report and its place.
struct Said<'a> {
    record: &'a Record,
    envelope: Envelope,
    heard: Heard,
}

impl Lane {
    /// A new owner: each target's clocks restart under the new epoch, and the record of every
    /// server is published anew.
    pub(crate) async fn announce(
        &mut self,
        shutdown: &watch::Receiver<bool>,
    ) -> anyhow::Result<Written> {
        let targets: Vec<Target> = self.subjects.targets.keys().cloned().collect();
        for target in targets {
            if let Written::TakeAnew = self.own_target(&target, true, shutdown).await? {
                return Ok(Written::TakeAnew);
            }
        }
        let all = self.subjects.targets.values_mut();
        for slot in all.filter(|slot| slot.stopped.is_some()) {
            slot.show(&self.view);
        }
        for machine in self.subjects.machines.values() {
            machine.show(&self.view);
        }
        Ok(Written::Done)
    }

    /// A target's first event under this owner.
    async fn own_target(
        &mut self,
        target: &Target,
        publish_all: bool,
        shutdown: &watch::Receiver<bool>,
    ) -> anyhow::Result<Written> {
        let input = Input::Owner(self.owner.epoch());
        let written = self
            .settle(target, &input, None, publish_all, shutdown)
            .await?;
        self.stop_on_never(target, &written);
        Ok(written)
    }

    /// A target whose decision can never be written stands still: going on would fork the truth.
    fn stop_on_never(&mut self, target: &Target, written: &Written) {
        if let Written::Never(why) = written {
            tracing::error!(%target, why, "the target stands still");
            let slot = self.subjects.target(target);
            slot.stopped = Some(why.clone());
            slot.show(&self.view);
        }
    }

    /// Time has passed for a target.
    pub(crate) async fn clock(
        &mut self,
        target: &Target,
        shutdown: &watch::Receiver<bool>,
    ) -> anyhow::Result<Written> {
        let written = self
            .settle(target, &Input::Clock, None, false, shutdown)
            .await?;
        self.stop_on_never(target, &written);
        Ok(written)
    }

    /// Somebody says something.
    pub(crate) async fn report(
        &mut self,
        record: &Record,
        shutdown: &watch::Receiver<bool>,
    ) -> anyhow::Result<Written> {
        let said = match read(record) {
            Ok(said) => said,
            Err(why) => return self.reject(record, &why, shutdown).await,
        };
        let written = match &said.envelope.subject {
            Subject::Target(target) => {
                let target = target.clone();
                if let Some(why) = self.subjects.target(&target).stopped.clone() {
                    return self
                        .reject(record, &format!("the target stands still: {why}"), shutdown)
                        .await;
                }
                // A target that is new under this owner commands under its epoch from the start.
                if self.subjects.target(&target).state.epoch < self.owner.epoch()
                    && let Written::TakeAnew = self.own_target(&target, false, shutdown).await?
                {
                    return Ok(Written::TakeAnew);
                }
                let input = Input::Report(&said.heard);
                self.settle(&target, &input, Some(&said), false, shutdown)
                    .await?
            }
            Subject::Machine(machine) => {
                let machine = machine.clone();
                if let Some(why) = self.subjects.machine(&machine).stopped.clone() {
                    let why = format!("the machine stands still: {why}");
                    return self.reject(record, &why, shutdown).await;
                }
                self.machine(&machine, &said, shutdown).await?
            }
            Subject::Partition(_) => Written::Never("nobody reports about partitions".to_owned()),
        };
        match written {
            Written::Never(why) => self.reject(record, &why, shutdown).await,
            Written::Done | Written::TakeAnew => Ok(written),
        }
    }

    async fn reject(
        &mut self,
        record: &Record,
        why: &str,
        shutdown: &watch::Receiver<bool>,
    ) -> anyhow::Result<Written> {
        tracing::warn!(
            key = record.key,
            offset = record.offset,
            why,
            "a report is not taken"
        );
        let commit = Commit {
            rejected: vec![outgoing::rejected(record, why)],
            consumed: Some(record.offset),
            ..Commit::default()
        };
        match self.write(commit, shutdown).await? {
            Written::Never(_) => {
                // The report with its reason is too large for a record: its envelope and the reason
                // still tell what it was.
                let mut short = outgoing::rejected(record, why);
                short.value = Vec::new();
                let commit = Commit {
                    rejected: vec![short],
                    consumed: Some(record.offset),
                    ..Commit::default()
                };
                self.write(commit, shutdown).await
            }
            written @ (Written::Done | Written::TakeAnew) => Ok(written),
        }
    }

    /// Decides on a scratch copy, writes, and adopts the copy when that has succeeded.
    async fn settle(
        &mut self,
        target: &Target,
        input: &Input<'_>,
        said: Option<&Said<'_>>,
        publish_all: bool,
        shutdown: &watch::Receiver<bool>,
    ) -> anyhow::Result<Written> {
        let epoch = self.owner.epoch();
        let instance = self.settings.instance.clone();
        let slot = self.subjects.target(target);
        if slot.stopped.is_some() {
            return Ok(Written::Done);
        }
        let settled = settle(&slot.state, input, now());
        let at = now().max(slot.state.at).max(settled.state.at);
        let around = Around {
            instance: &instance,
            subject: Subject::Target(target.clone()),
            at: if settled.events.is_empty() {
                at
            } else {
                settled.state.at
            },
            epoch,
            actor: said.map(|said| &said.heard.actor),
            traceparent: said.and_then(|said| said.envelope.traceparent.as_deref()),
        };
        let (events, head) = around.records(&settled.events, slot.head);
        let before = if publish_all {
            Vec::new()
        } else {
            records(&slot.state)
        };
        let changed = records(&settled.state)
            .into_iter()
            .filter(|new| !before.contains(new));
        let commit = Commit {
            events,
            commands: changed
                .map(|record| outgoing::command_record(&record))
                .collect(),
            snapshots: Vec::new(),
            rejected: refused(said, &settled),
            reports: told(&around, slot, &settled),
            consumed: said.map(|said| said.record.offset),
        };
        let nothing = commit.events.is_empty() && commit.commands.is_empty();
        if nothing && commit.consumed.is_none() {
            return Ok(Written::Done);
        }
        let written = self.write(commit, shutdown).await?;
        if let Written::Done = written {
            let view = self.view.clone();
            let slot = self.subjects.target(target);
            slot.adopt(&settled, head);
            slot.show(&view);
        }
        Ok(written)
    }

    async fn machine(
        &mut self,
        name: &MachineName,
        said: &Said<'_>,
        shutdown: &watch::Receiver<bool>,
    ) -> anyhow::Result<Written> {
        let instance = self.settings.instance.clone();
        let epoch = self.owner.epoch();
        let slot = self.subjects.machine(name);
        let reply = decide_machine(&slot.machine, &said.heard);
        let at = now().max(slot.machine.at);
        let cause = Cause::Report(said.heard.id);
        let events: Vec<(Event, Cause)> = reply
            .events
            .into_iter()
            .map(|event| (event, cause))
            .collect();
        let around = Around {
            instance: &instance,
            subject: Subject::Machine(name.clone()),
            at,
            epoch,
            actor: Some(&said.heard.actor),
            traceparent: said.envelope.traceparent.as_deref(),
        };
        let (outgoing, head) = around.records(&events, slot.head);
        let rejected = reply
            .refused
            .iter()
            .map(|why| outgoing::rejected(said.record, why));
        let commit = Commit {
            events: outgoing,
            rejected: rejected.collect(),
            consumed: Some(said.record.offset),
            ..Commit::default()
        };
        let written = self.write(commit, shutdown).await?;
        if let Written::Done = written {
            let slot = self.subjects.machine(name);
            for (event, _) in &events {
                apply_machine(&mut slot.machine, event, at);
            }
            slot.head = head;
            slot.changed = true;
            slot.keep_key();
            slot.show(&self.view);
        }
        Ok(written)
    }
}

fn read(record: &Record) -> Result<Said<'_>, String> {
    let envelope = Envelope::from_headers(&record.headers).map_err(|error| error.to_string())?;
    let report = Report::from_bytes(&envelope.kind, envelope.version, &record.value)
        .map_err(|error| error.to_string())?;
    let actor: Actor = envelope.actor.clone();
    let heard = Heard {
        id: ReportId::new(envelope.id),
        actor,
        report,
    };
    Ok(Said {
        record,
        envelope,
        heard,
    })
}

/// What others of the service are told of this decision.
fn told(
    around: &Around<'_>,
    slot: &crate::subject::TargetSlot,
    settled: &Settled,
) -> Vec<(u32, bus::Outgoing)> {
    let first = slot.head.map_or(1, |(n, _)| n + 1);
    let numbered = (first..).zip(&settled.events);
    numbered
        .flat_map(|(n, (event, _))| tell(&settled.state, event, n, around.at))
        .map(|told| around.told(told))
        .collect()
}

fn refused(said: Option<&Said<'_>>, settled: &Settled) -> Vec<bus::Outgoing> {
    let why = settled.refused.as_deref();
    said.zip(why)
        .map(|(said, why)| outgoing::rejected(said.record, why))
        .into_iter()
        .collect()
}

impl crate::subject::TargetSlot {
    /// The events are in the log: what they make of the state is the state.
    fn adopt(&mut self, settled: &Settled, head: crate::subject::Head) {
        for (event, cause) in &settled.events {
            let stamp = Stamp {
                at: settled.state.at,
                cause: *cause,
            };
            self.note(event, stamp);
            rollout::apply(&mut self.state, event, stamp);
        }
        debug_assert_eq!(
            self.state, settled.state,
            "the copy is the fold of its events"
        );
        self.head = head;
        self.changed = true;
    }
}
