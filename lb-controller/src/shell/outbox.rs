//! Reports on their way into the log: each keeps its id until it is durable, so that one that was
//! written twice counts once.

use std::collections::VecDeque;
use std::time::Duration;

use bus::{Bus, Outgoing, Stream};
use events::{Actor, ActorKind, Answer, BalancerName, CommandId, Envelope, Report, ReportId};
use events::{Source, Subject, Target, Timestamp, partition_of};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use uuid::Uuid;

use crate::step::Reply;

const AGAIN_AFTER: Duration = Duration::from_millis(250);

/// How long the last reports may take when we end.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// Takes reports at once and appends them beside the looks, which never wait for the log.
pub(super) struct Outbox {
    to_task: UnboundedSender<Note>,
    task: JoinHandle<()>,
}

enum Note {
    Say(Box<Reply>, Timestamp),
    /// Nobody waits for this command's answer any more.
    Superseded(CommandId),
}

impl Outbox {
    pub(super) fn open(bus: Bus, name: &BalancerName) -> Self {
        let (to_task, notes) = unbounded_channel();
        let mut queue = Queue {
            bus,
            instance: name.to_string(),
            waiting: VecDeque::new(),
            is_failing: false,
        };
        let task = tokio::spawn(async move { queue.serve(notes).await });
        Self { to_task, task }
    }

    pub(super) fn say(&self, reply: Reply, at: Timestamp) {
        self.note(Note::Say(Box::new(reply), at));
    }

    pub(super) fn superseded(&self, command: CommandId) {
        self.note(Note::Superseded(command));
    }

    /// Appends what still waits, if the log takes it soon.
    pub(super) async fn close(self) {
        drop(self.to_task);
        if timeout(LAST_WORDS, self.task).await.is_err() {
            tracing::warn!(
                "the log did not take our last reports; they are made anew at our start"
            );
        }
    }

    fn note(&self, note: Note) {
        if self.to_task.send(note).is_err() {
            tracing::error!("reports are not carried any more: start lb-controller again");
        }
    }
}

struct Queue {
    bus: Bus,
    instance: String,
    waiting: VecDeque<Waiting>,
    is_failing: bool,
}

struct Waiting {
    target: Target,
    partition: u32,
    command: Option<CommandId>,
    is_pool_seen: bool,
    record: Outgoing,
}

impl Queue {
    async fn serve(&mut self, mut notes: UnboundedReceiver<Note>) {
        loop {
            self.flush().await;
            let note = if self.waiting.is_empty() {
                notes.recv().await
            } else {
                match timeout(AGAIN_AFTER, notes.recv()).await {
                    Ok(note) => note,
                    Err(_) => continue,
                }
            };
            match note {
                Some(Note::Say(reply, at)) => self.push(*reply, at),
                Some(Note::Superseded(command)) => {
                    self.waiting
                        .retain(|waiting| waiting.command.as_ref() != Some(&command));
                }
                None if self.waiting.is_empty() => return,
                None => tokio::time::sleep(AGAIN_AFTER).await,
            }
        }
    }

    /// In order, as far as the log takes them.
    async fn flush(&mut self) {
        while let Some(first) = self.waiting.front() {
            let records = vec![first.record.clone()];
            let appended = self.bus.append(Stream::Reports, first.partition, records);
            match appended.await {
                Ok(_) => {
                    self.is_failing = false;
                    self.waiting.pop_front();
                }
                Err(error) => {
                    if !self.is_failing {
                        tracing::warn!(%error, "the log does not take reports; they are kept");
                    }
                    self.is_failing = true;
                    return;
                }
            }
        }
    }

    fn push(&mut self, reply: Reply, at: Timestamp) {
        let Reply { target, answer } = reply;
        let is_pool_seen = matches!(answer, Answer::PoolSeen(_));
        if is_pool_seen {
            // Only the newest says how it is.
            self.waiting
                .retain(|waiting| !(waiting.is_pool_seen && waiting.target == target));
        }
        let command = answer.command().cloned();
        let subject = Subject::Target(target.clone());
        let report: Report = answer.into();
        let envelope = Envelope::of_report(
            ReportId::new(Uuid::now_v7()),
            &report,
            subject.clone(),
            at,
            self.source(),
            self.actor(),
        );
        self.waiting.push_back(Waiting {
            target,
            partition: partition_of(&subject),
            command,
            is_pool_seen,
            record: Outgoing {
                key: subject.to_string(),
                headers: envelope.to_headers(),
                value: report.to_bytes(),
            },
        });
    }

    fn source(&self) -> Source {
        Source {
            process: "lb-controller".to_owned(),
            instance: self.instance.clone(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
        }
    }

    fn actor(&self) -> Actor {
        Actor {
            kind: ActorKind::Process,
            id: format!("lb-controller/{}", self.instance),
        }
    }
}
