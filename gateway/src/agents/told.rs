//! What an agent is told of its servers' records: pure. The stream of commands stays as it is.
//!
//! An agent of another version than ours reads what it knows and passes over the rest. So it is not
//! told of what is none of its work, and what it would carry out only in part it is told in a word
//! that it does not know: it then refuses the command as `unknown`, at once and by itself.

use events::{CommandRecord, Idle, PollAnswer, Since, Worker};
use serde_json::{Value, json};

/// The record as an agent needs it: the work of other workers is nothing to do, under the same
/// fence. (An agent of 0.1 refuses a `watch`, which it does not know, and the rollout fails by it.)
pub(super) fn of_its_own(record: CommandRecord) -> CommandRecord {
    match record {
        CommandRecord::Command(command) if command.worker() != Worker::Agent => {
            CommandRecord::Idle(Idle {
                target: command.target,
                server: command.server,
                machine: command.machine,
                epoch: command.epoch,
                seq: command.seq,
                balancers: command.balancers,
                online: command.online,
                maintenance: command.maintenance,
                line: command.line,
            })
        }
        CommandRecord::Command(_) | CommandRecord::Idle(_) => record,
    }
}

/// The answer's body for an agent of this version; one that does not say which is as new as we are.
pub(super) fn to(version: &str, answer: &PollAnswer) -> Value {
    // Types of ours are always written.
    let mut body = serde_json::to_value(answer).unwrap_or_default();
    let Some(version) = numbers(version) else {
        return body;
    };
    for (place, assignment) in answer.assignments.iter().enumerate() {
        let Some(command) = assignment.record.command() else {
            continue;
        };
        let since = command.agents_since();
        if version < since {
            let word = format!("{}_since_{}.{}", command.work.kind(), since.0, since.1);
            body["assignments"][place]["record"]["work"] = json!({ "kind": word });
        }
    }
    body
}

/// Major and minor.
fn numbers(version: &str) -> Option<Since> {
    let mut parts = version.split('.').map(str::parse);
    Some((parts.next()?.ok()?, parts.next()?.ok()?))
}
