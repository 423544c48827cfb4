//! The loop around the decisions: asks what is next, does it, remembers it.

use std::sync::Arc;
use std::time::Duration;

use events::{Answer, Command, FailedBecause, Failure, Output, ReportId};
use tokio::sync::watch;
use tokio::task::{JoinError, JoinHandle};
use uuid::Uuid;

use crate::clock;
use crate::decide::{Agent, Assigned, Decision};
use crate::journal::{Entry, Stamp};
use crate::ledger;
use crate::memory::Memory;
use crate::work::{self, Tools};

/// How long to wait before a journal that cannot be written is tried again.
const JOURNAL_PAUSE: Duration = Duration::from_secs(1);

/// An agent at work.
pub(crate) struct Engine {
    pub(crate) agent: Agent,
    pub(crate) memory: Arc<Memory>,
    pub(crate) tools: Tools,
    pub(crate) inbox: watch::Receiver<Vec<Assigned>>,
    pub(crate) task: Option<Task>,
}

/// The piece of work that runs.
pub(crate) struct Task {
    command: Box<Command>,
    /// None when the answer was there before any work.
    handle: Option<JoinHandle<Answer>>,
    /// Its answer, when the journal could not take it yet.
    answer: Option<Answer>,
}

impl Engine {
    /// Works for ever. A journal that cannot be written stops all work, and says so, until it can.
    pub(crate) async fn run(mut self) {
        loop {
            if let Err(error) = self.step().await {
                tracing::error!(%error, "no work is begun until the journal can be written");
                tokio::time::sleep(JOURNAL_PAUSE).await;
            }
        }
    }

    async fn step(&mut self) -> Result<(), ledger::Error> {
        if self.task.as_ref().is_some_and(|task| task.answer.is_some()) {
            return self.finish();
        }
        let assigned = self.inbox.borrow_and_update().clone();
        let decision = self
            .memory
            .read(|journal| self.agent.next(journal, &assigned, clock::now_ms()));
        match decision {
            Decision::Note(entry) => self.memory.append(&entry),
            Decision::Refuse(refusal) => {
                let refused = &refusal.refused;
                tracing::warn!(command = %refused.command, reason = %refused.reason, "refused");
                self.memory.append(&refusal.entry(stamp()))
            }
            Decision::Queue(queued) => {
                let said = &queued.queued;
                tracing::info!(command = %said.command, behind = %said.behind, "waits");
                self.memory.append(&queued.entry(stamp()))
            }
            Decision::AnswerAgain(repeat) => self.memory.append(&repeat.entry(stamp())),
            Decision::Recover(command) => {
                self.recover(command);
                Ok(())
            }
            Decision::Abort(command) => self.abort(&command),
            Decision::Start { command, end_by_ms } => self.start(command, end_by_ms),
            Decision::Wait { until_ms } => {
                // Not in the middle of work: its answer comes first.
                if self.task.is_none() {
                    self.report_what_runs()?;
                }
                self.wait(until_ms).await;
                Ok(())
            }
        }
    }

    fn start(&mut self, command: Box<Command>, end_by_ms: u64) -> Result<(), ledger::Error> {
        let has_room = self.memory.hold_room();
        tracing::info!(command = %command.id, kind = command.work.kind(), "started");
        self.memory.append(&Entry::started(&command, stamp()))?;
        if let Err(error) = has_room {
            let failure = Failure::new(FailedBecause::DiskFull, &error.to_string());
            let answer = work::failed(&command, failure, Output::default());
            self.task = Some(Task {
                command,
                handle: None,
                answer: Some(answer),
            });
            return self.finish();
        }
        let end_ms = clock::now_ms().saturating_add(command.timeout_ms);
        let until = clock::moment(end_ms.min(end_by_ms));
        self.spawn(command, move |tools, command, previous| async move {
            work::carry_out(&tools, &command, previous, until).await
        });
        Ok(())
    }

    fn recover(&mut self, command: Box<Command>) {
        tracing::warn!(command = %command.id, "a former life began this; finding out what became of it");
        let began = self.memory.read(|journal| {
            journal
                .running()
                .map_or_else(clock::wall, |running| running.at)
        });
        // The wall's clock may have been moved: the work is never given more than its whole time.
        let spent_ms = clock::wall().ms_since(began).min(command.timeout_ms);
        let left_ms = command.timeout_ms - spent_ms;
        let until = clock::moment(clock::now_ms().saturating_add(left_ms));
        self.memory.take_over();
        self.spawn(command, move |tools, command, previous| async move {
            work::recover(&tools, &command, previous, until).await
        });
    }

    fn spawn<F>(
        &mut self,
        command: Box<Command>,
        work: impl FnOnce(Tools, Box<Command>, Option<events::Release>) -> F,
    ) where
        F: Future<Output = Answer> + Send + 'static,
    {
        let key = format!("{}/{}", command.target, command.server);
        let previous = self
            .memory
            .read(|journal| journal.server(&key).and_then(|notes| notes.proven.clone()));
        let handle = tokio::spawn(work(self.tools.clone(), command.clone(), previous));
        self.task = Some(Task {
            command,
            handle: Some(handle),
            answer: None,
        });
    }

    fn abort(&mut self, command: &Command) -> Result<(), ledger::Error> {
        if let Some(handle) = self.task.as_ref().and_then(|task| task.handle.as_ref()) {
            handle.abort();
        }
        let failure = Failure::new(FailedBecause::Interrupted, "a newer command took its place");
        let answer = work::failed(command, failure, Output::default());
        self.memory
            .append(&Entry::dropped(command, &answer, stamp()))?;
        self.task = None;
        tracing::info!(command = %command.id, "given up for a newer one");
        Ok(())
    }

    fn finish(&mut self) -> Result<(), ledger::Error> {
        let Some(task) = &self.task else {
            return Ok(());
        };
        let Some(answer) = &task.answer else {
            return Ok(());
        };
        self.memory
            .append(&Entry::finished(&task.command, answer, stamp()))?;
        tracing::info!(command = %task.command.id, answer = answer.kind(), "answered");
        self.task = None;
        Ok(())
    }

    fn report_what_runs(&self) -> Result<(), ledger::Error> {
        let version = env!("CARGO_PKG_VERSION");
        let unseen = self
            .memory
            .read(|journal| journal.unseen(&self.agent.machine, version));
        for (target, seen) in unseen {
            self.memory.append(&Entry::seen(&target, seen, stamp()))?;
        }
        Ok(())
    }

    async fn wait(&mut self, until_ms: Option<u64>) {
        let until = clock::moment(until_ms.unwrap_or(u64::MAX));
        let ended = async {
            match self.task.as_mut().and_then(|task| task.handle.as_mut()) {
                Some(handle) => handle.await,
                None => std::future::pending().await,
            }
        };
        let ended = tokio::select! {
            ended = ended => Some(ended),
            _ = self.inbox.changed() => None,
            () = tokio::time::sleep_until(until) => None,
        };
        if let (Some(ended), Some(task)) = (ended, &mut self.task) {
            task.answer = Some(ended.unwrap_or_else(|error| broken(&task.command, &error)));
        }
    }
}

/// A bug of ours in the middle of a piece of work is an answer too.
fn broken(command: &Command, error: &JoinError) -> Answer {
    tracing::error!(command = %command.id, %error, "the work broke off");
    let detail = format!("the agent broke off: {error}");
    let failure = Failure::new(FailedBecause::Interrupted, &detail);
    work::failed(command, failure, Output::default())
}

fn stamp() -> Stamp {
    Stamp {
        id: ReportId::new(Uuid::now_v7()),
        at: clock::wall(),
    }
}
