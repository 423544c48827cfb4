//! Which record of a server asks for what: pure. One seat for each server, with the highest fence
//! seen there and what became of its check.

use std::collections::BTreeMap;

use events::{Answer, Command, CommandId, CommandRecord, Fence, Worker};

/// What a record asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Act {
    /// Nothing to do.
    Nothing,
    /// What runs for this server counts no more.
    Stop,
    /// Stop what runs, begin this check.
    Begin(Box<Command>),
    /// The check was answered: say the same again.
    Repeat(Box<Answer>),
    /// A stale command: say which fence is the highest here.
    Refuse {
        /// The stale one.
        command: CommandId,
        /// What was seen before it.
        highest: Fence,
    },
}

/// All servers' seats.
#[derive(Debug, Default)]
pub struct Desk {
    seats: BTreeMap<String, Seat>,
}

#[derive(Debug)]
struct Seat {
    fence: Fence,
    id: Option<CommandId>,
    stands: Stands,
}

#[derive(Debug)]
enum Stands {
    /// It runs, or is none of ours.
    Open,
    /// It was answered.
    Answered(Box<Answer>),
    /// It came too late; published anew it has a new deadline.
    Late,
}

impl Desk {
    /// Takes a record as it came from the stream.
    pub fn take(&mut self, record: &CommandRecord) -> Act {
        let fence = record.fence();
        let command = record.command();
        let id = command.map(|command| command.id.clone());
        let check = command.filter(|command| command.worker() == Worker::HealthChecker);
        if let Some(seat) = self.seats.get_mut(&record.key()) {
            if fence < seat.fence || (fence == seat.fence && id != seat.id) {
                return check.map_or(Act::Nothing, |command| Act::Refuse {
                    command: command.id.clone(),
                    highest: seat.fence,
                });
            }
            if id.is_some() && id == seat.id {
                let again = fence > seat.fence;
                seat.fence = fence;
                match &seat.stands {
                    Stands::Answered(answer) if again => {
                        return Act::Repeat(answer.clone());
                    }
                    Stands::Late if again => {}
                    Stands::Open | Stands::Answered(_) | Stands::Late => return Act::Nothing,
                }
            }
        }
        self.seats.insert(
            record.key(),
            Seat {
                fence,
                id,
                stands: Stands::Open,
            },
        );
        check.map_or(Act::Stop, |command| Act::Begin(Box::new(command.clone())))
    }

    /// Keeps the answer of a check, for the case that it is asked again.
    pub fn answered(&mut self, key: &str, answer: Answer) {
        if let Some(seat) = self.seats.get_mut(key)
            && seat.id.as_ref() == answer.command()
        {
            seat.stands = if matches!(answer, Answer::CommandRefused(_)) {
                Stands::Late
            } else {
                Stands::Answered(Box::new(answer))
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use events::{Check, CommandRefused, Expect, Idle, RefusedBecause, Unhealthy};
    use events::{FailedBecause, Failure, Timestamp, Work};

    fn fence(epoch: u64, seq: u64) -> Fence {
        Fence { epoch, seq }
    }

    fn check(attempt: u32, fence: Fence) -> Command {
        let id = format!("repair/web1/check-1/{attempt}");
        let Ok(id) = id.parse::<CommandId>() else {
            panic!("{id}")
        };
        Command {
            target: "production/checkout".parse().unwrap(),
            server: id.server.clone(),
            machine: "srv-101".parse().unwrap(),
            rollout: id.rollout,
            epoch: fence.epoch,
            seq: fence.seq,
            attempt,
            issued_at: Timestamp::from_ms(0),
            start_within_ms: 1000,
            timeout_ms: 1000,
            deadline_at: Timestamp::from_ms(1000),
            own: None,
            plan_digest: None,
            traceparent: None,
            balancers: vec![],
            online: "checkout".to_owned(),
            maintenance: "checkout_maintenance".to_owned(),
            line: "web1".to_owned(),
            work: Work::Check(Check {
                direct: None,
                header: "x-poolshift-server".to_owned(),
                answered_by: "x-poolshift-answered-by".to_owned(),
                probes: vec![],
                in_a_row: 1,
                interval_ms: 1,
                probe_timeout_ms: 1,
                expect: Expect {
                    server: "web1".to_owned(),
                    version: None,
                },
            }),
            id,
        }
    }

    fn record(command: &Command) -> CommandRecord {
        CommandRecord::Command(Box::new(command.clone()))
    }

    fn unhealthy(command: &Command) -> Answer {
        Answer::Unhealthy(Unhealthy {
            command: command.id.clone(),
            failure: Failure::new(FailedBecause::TimedOut, ""),
            probes: vec![],
        })
    }

    #[test]
    fn a_check_begins_once_and_is_dropped_when_nothing_is_outstanding_any_more() {
        let mut desk = Desk::default();
        let first = check(1, fence(1, 1));
        assert!(matches!(desk.take(&record(&first)), Act::Begin(_)));
        assert_eq!(desk.take(&record(&first)), Act::Nothing);
        let idle = CommandRecord::Idle(Idle {
            target: first.target.clone(),
            server: first.server.clone(),
            machine: first.machine,
            epoch: 1,
            seq: 2,
            balancers: vec![],
            online: String::new(),
            maintenance: String::new(),
            line: String::new(),
        });
        assert_eq!(desk.take(&idle), Act::Stop);
    }

    #[test]
    fn a_check_that_was_answered_gets_the_same_answer_when_a_new_owner_asks_again() {
        let mut desk = Desk::default();
        let first = check(1, fence(1, 1));
        desk.take(&record(&first));
        assert_eq!(desk.take(&record(&check(1, fence(2, 1)))), Act::Nothing);
        let answer = unhealthy(&first);
        desk.answered(&record(&first).key(), answer.clone());
        let again = desk.take(&record(&check(1, fence(3, 1))));
        assert_eq!(again, Act::Repeat(Box::new(answer)));
    }

    #[test]
    fn a_lower_fence_and_an_equal_one_with_another_id_are_refused() {
        let mut desk = Desk::default();
        desk.take(&record(&check(2, fence(2, 5))));
        for (attempt, stale) in [(1, fence(2, 4)), (9, fence(1, 9)), (3, fence(2, 5))] {
            let command = check(attempt, stale);
            let refused = Act::Refuse {
                command: command.id.clone(),
                highest: fence(2, 5),
            };
            assert_eq!(desk.take(&record(&command)), refused);
        }
    }

    #[test]
    fn a_check_that_came_too_late_is_begun_when_it_is_published_anew() {
        let mut desk = Desk::default();
        let first = check(1, fence(1, 1));
        desk.take(&record(&first));
        let late = CommandRefused {
            command: first.id.clone(),
            reason: RefusedBecause::Late,
            highest: fence(1, 1),
        };
        desk.answered(&record(&first).key(), Answer::CommandRefused(late));
        let again = desk.take(&record(&check(1, fence(2, 1))));
        assert!(matches!(again, Act::Begin(_)));
    }

    #[test]
    fn an_answer_to_a_former_command_is_not_kept() {
        let mut desk = Desk::default();
        let (first, second) = (check(1, fence(1, 1)), check(2, fence(1, 2)));
        desk.take(&record(&first));
        desk.take(&record(&second));
        desk.answered(&record(&first).key(), unhealthy(&first));
        assert_eq!(desk.take(&record(&check(2, fence(2, 1)))), Act::Nothing);
    }
}
