//! The log as it is written, without an orchestrator: in virtual time.

use std::path::Path;

use anyhow::{Context, Result};
use bus::{Bus, Commit, Outgoing, Owner, PARTITIONS, Stream};
use events::{
    Actor, ActorKind, Envelope, Report, ReportId, Source, Subject, Target, Timestamp, partition_of,
};
use orchestrator::{Around, Head, command_record, ownership_record};
use rollout::{Heard, Input, State, records, settle};
use uuid::Uuid;

const INSTANCE: &str = "1";

/// The log, owned whole.
pub(super) struct Ledger {
    bus: Bus,
    owners: Vec<Owner>,
    /// Reports from this time on are written, too: older ones would have expired.
    reports_from: Timestamp,
    pub(super) events: u64,
}

/// One target as its owner knows it.
pub(super) struct Account {
    pub(super) state: State,
    head: Head,
    epoch: u64,
    /// Of the rollout under way, and not written yet.
    commit: Commit,
    reports: Vec<Outgoing>,
}

impl Ledger {
    pub(super) async fn open(path: &Path, reports_from: Timestamp) -> Result<Self> {
        let bus = Bus::open(path).context("cannot make the log")?;
        let mut owners = Vec::new();
        for partition in 0..PARTITIONS {
            let taken = ownership_record(INSTANCE, partition, 0);
            owners.push(
                bus.own(partition, 0, taken)
                    .await
                    .context("cannot own it")?,
            );
        }
        Ok(Self {
            bus,
            owners,
            reports_from,
            events: 0,
        })
    }

    pub(super) fn account(&self, target: Target, at: Timestamp) -> Result<Account> {
        let owner = self.owner_of(&target)?;
        let mut account = Account {
            state: State::new(target),
            head: None,
            epoch: owner.epoch(),
            commit: Commit::default(),
            reports: Vec::new(),
        };
        account.settle(&Input::Owner(account.epoch), None, at);
        Ok(account)
    }

    /// Writes what has happened on a target since it was last written.
    pub(super) async fn write(&mut self, account: &mut Account, at: Timestamp) -> Result<()> {
        let mut commit = std::mem::take(&mut account.commit);
        let reports = std::mem::take(&mut account.reports);
        let target = &account.state.target;
        let partition = partition_of(&Subject::Target(target.clone()));
        let latest = records(&account.state);
        commit.commands = latest.iter().map(command_record).collect();
        if at >= self.reports_from {
            let offsets = self.bus.append(Stream::Reports, partition, reports).await?;
            commit.consumed = offsets.last().copied();
        }
        self.events += commit.events.len() as u64;
        let owner = self.owners.get_mut(usize::try_from(partition)?);
        owner.context("no owner")?.commit(commit).await?;
        Ok(())
    }

    /// Lets go of the file.
    pub(super) async fn close(self) -> Result<u64> {
        self.bus.close().await?;
        Ok(self.events)
    }

    fn owner_of(&self, target: &Target) -> Result<&Owner> {
        let partition = partition_of(&Subject::Target(target.clone()));
        let owner = self.owners.get(usize::try_from(partition)?);
        owner.context("no owner")
    }
}

impl Account {
    /// Somebody says something.
    pub(super) fn hear(&mut self, report: impl Into<Report>, process: &str, at: Timestamp) {
        let heard = Heard {
            id: ReportId::new(Uuid::now_v7()),
            actor: Actor {
                kind: ActorKind::Process,
                id: format!("{process}/1"),
            },
            report: report.into(),
        };
        let subject = Subject::Target(self.state.target.clone());
        let source = Source {
            process: process.to_owned(),
            instance: INSTANCE.to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
        };
        let actor = heard.actor.clone();
        let envelope =
            Envelope::of_report(heard.id, &heard.report, subject.clone(), at, source, actor);
        self.reports.push(Outgoing {
            key: subject.to_string(),
            headers: envelope.to_headers(),
            value: heard.report.to_bytes(),
        });
        self.settle(&Input::Report(&heard), Some(&heard.actor), at);
    }

    /// Time has passed.
    pub(super) fn tick(&mut self, at: Timestamp) {
        self.settle(&Input::Clock, None, at);
    }

    fn settle(&mut self, input: &Input<'_>, actor: Option<&Actor>, at: Timestamp) {
        let settled = settle(&self.state, input, at);
        let around = Around {
            instance: INSTANCE,
            subject: Subject::Target(self.state.target.clone()),
            at: settled.state.at,
            epoch: self.epoch,
            actor,
            traceparent: Some("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
        };
        let (mut events, head) = around.records(&settled.events, self.head);
        self.commit.events.append(&mut events);
        self.head = head;
        self.state = settled.state;
    }
}
