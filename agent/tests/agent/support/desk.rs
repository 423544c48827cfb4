//! What is asked of an agent, and what it answers: the same for every world.

use events::{Answer, Assignment, Command, CommandId, CommandRecord, Report};

use super::gateway::Gateway;
use super::order::{IntoWork, command_of};

/// A gateway, and the commands that it gives out.
pub(crate) struct Desk {
    pub(crate) gateway: Gateway,
    /// How long a command may take; the agent hears a minute more.
    timeout_ms: u64,
    seq: u64,
}

impl Desk {
    pub(crate) const fn new(gateway: Gateway, timeout_ms: u64) -> Self {
        Self {
            gateway,
            timeout_ms,
            seq: 0,
        }
    }

    /// The number after the last one.
    pub(crate) const fn next_seq(&mut self) -> u64 {
        self.seq += 1;
        self.seq
    }

    /// Serves an artifact; gives its URL.
    pub(crate) fn serve(&self, name: &str, bytes: &[u8]) -> String {
        let path = format!("/artifacts/{name}");
        let url = self.gateway.url(&path);
        self.gateway
            .change(|known| known.artifacts.insert(path, bytes.to_vec()));
        url
    }

    /// A command that nobody has given out yet.
    pub(crate) fn command(&mut self, step: &str, attempt: u32, work: impl IntoWork) -> Command {
        let seq = self.next_seq();
        let mut command = command_of("web1", (step, attempt), seq, work.work());
        command.timeout_ms = self.timeout_ms;
        command
    }

    /// Makes a command the record of its server.
    pub(crate) fn give_out(&self, command: &Command) {
        let record = CommandRecord::Command(Box::new(command.clone()));
        self.put(record, command.start_within_ms, self.timeout_ms + 60_000);
    }

    pub(crate) fn put(&self, record: CommandRecord, start_within_ms: u64, remains_ms: u64) {
        let assignment = Assignment {
            record,
            start_within_ms,
            remains_ms,
        };
        self.gateway
            .change(|known| known.records.insert(assignment.record.key(), assignment));
    }

    /// Gives a command out and waits for its answer.
    pub(crate) async fn carry_out(
        &mut self,
        step: &str,
        attempt: u32,
        work: impl IntoWork,
    ) -> Answer {
        let command = self.command(step, attempt, work);
        self.give_out(&command);
        self.answer_to(&command.id).await
    }

    /// Waits for the answer to a command.
    pub(crate) async fn answer_to(&self, id: &CommandId) -> Answer {
        let what = format!("the answer to {id}");
        let answer = self.gateway.until(&what, |known| {
            let answers = known.delivered.iter().filter_map(answer);
            answers
                .filter(|answer| answer.command() == Some(id))
                .find(|answer| !matches!(answer, Answer::CommandStarted(_)))
        });
        answer.await
    }
}

/// What an agent reports is an answer.
pub(crate) fn answer(report: &events::WireReport) -> Option<Answer> {
    match report.report().expect("a report of ours") {
        Report::Answer(answer) => Some(answer),
        Report::Ask(_) => None,
    }
}
