//! The group of orchestrators. A member reads nothing: it subscribes to the events, pauses what it
//! is given, and only polls, in a thread of its own, so that no work of ours keeps it from it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rdkafka::client::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{BaseConsumer, Consumer as _, ConsumerContext, Rebalance};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::topic_partition_list::TopicPartitionList;
use tokio::sync::{mpsc, oneshot};

use super::client::{Context, Naming, with_mend};
use super::settings::Settings;
use crate::membership::{Change, Revoked};
use crate::{Error, Stream};

/// How long one poll may take: how soon a wish to leave is heard.
const POLL: Duration = Duration::from_millis(100);

/// How long the others may be kept waiting for what runs here to end.
const LET_GO: Duration = Duration::from_secs(5);

/// How long leaving may take.
const LEAVE: Duration = Duration::from_secs(8);

/// How often what runs here is asked whether it has ended: no wait in another thread's callback may
/// depend on a runtime.
const LOOK_EVERY: Duration = Duration::from_millis(2);

/// This process as a member.
#[derive(Debug)]
pub(crate) struct Members {
    changes: mpsc::UnboundedReceiver<Result<Change, Error>>,
    leaves: Arc<AtomicBool>,
}

impl Members {
    pub(super) fn join(
        settings: &Settings,
        naming: &Naming,
        instance: &str,
    ) -> Result<Self, Error> {
        let config = settings.member(instance)?;
        let (sender, changes) = mpsc::unbounded_channel();
        let told = Told {
            changes: sender.clone(),
        };
        let wrong = |error: KafkaError| Error::Settings {
            detail: error.to_string(),
        };
        let consumer: BaseConsumer<Told> = config.create_with_context(told).map_err(wrong)?;
        let topic = settings.topic(Stream::Events);
        consumer.subscribe(&[&topic]).map_err(wrong)?;
        let leaves = Arc::new(AtomicBool::new(false));
        let member = Member {
            consumer,
            changes: sender,
            leaves: Arc::clone(&leaves),
            naming: naming.clone(),
        };
        std::thread::Builder::new()
            .name("bus-membership".to_owned())
            .spawn(move || member.run())
            .map_err(|error| naming.storage(&error))?;
        Ok(Self { changes, leaves })
    }

    pub(crate) async fn next(&mut self) -> Result<Option<Change>, Error> {
        self.changes.recv().await.transpose()
    }

    pub(crate) fn leave(&self) {
        self.leaves.store(true, Ordering::Relaxed);
    }
}

impl Drop for Members {
    fn drop(&mut self) {
        self.leave();
    }
}

struct Member {
    consumer: BaseConsumer<Told>,
    changes: mpsc::UnboundedSender<Result<Change, Error>>,
    leaves: Arc<AtomicBool>,
    naming: Naming,
}

impl Member {
    fn run(self) {
        let mut leaving: Option<Instant> = None;
        loop {
            match self.consumer.poll(POLL) {
                // A record of a partition that was paused a moment too late.
                None | Some(Ok(_)) => {}
                Some(Err(error)) => {
                    if self.is_for_good(&error) {
                        let told = self.naming.storage(&with_mend(&error));
                        // Nobody is left to be told when the other end is gone.
                        drop(self.changes.send(Err(told)));
                        return;
                    }
                    tracing::warn!(%error, "membership");
                }
            }
            match leaving {
                None if self.leaves.load(Ordering::Relaxed) => {
                    self.consumer.unsubscribe();
                    leaving = Some(Instant::now());
                }
                None => {}
                Some(since) => {
                    let left = self
                        .consumer
                        .assignment()
                        .is_ok_and(|left| left.count() == 0);
                    if left || since.elapsed() > LEAVE {
                        return;
                    }
                }
            }
        }
    }

    /// Whether asking again can never help.
    fn is_for_good(&self, error: &KafkaError) -> bool {
        use RDKafkaErrorCode as Code;
        let code = error.rdkafka_error_code();
        self.consumer.client().fatal_error().is_some()
            || code.is_some_and(|code| {
                matches!(
                    code,
                    Code::InvalidSessionTimeout
                        | Code::InconsistentGroupProtocol
                        | Code::FencedInstanceId
                        | Code::GroupAuthorizationFailed
                        | Code::TopicAuthorizationFailed
                        | Code::SaslAuthenticationFailed
                        | Code::UnknownTopic
                        | Code::UnknownTopicOrPartition
                )
            })
    }
}

/// Tells what the group decides.
struct Told {
    changes: mpsc::UnboundedSender<Result<Change, Error>>,
}

impl ClientContext for Told {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        Context.log(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        Context.error(error, reason);
    }
}

impl ConsumerContext for Told {
    fn pre_rebalance(&self, consumer: &BaseConsumer<Self>, rebalance: &Rebalance<'_>) {
        let Rebalance::Revoke(partitions) = rebalance else {
            return;
        };
        let partitions = numbers(partitions);
        if partitions.is_empty() {
            return;
        }
        let lost = consumer.assignment_lost();
        let (held, mut let_go) = oneshot::channel();
        let revoked = Revoked::new(partitions, lost, Some(held));
        if self.changes.send(Ok(Change::Revoked(revoked))).is_err() || lost {
            return;
        }
        let until = Instant::now() + LET_GO;
        while matches!(let_go.try_recv(), Err(oneshot::error::TryRecvError::Empty)) {
            if Instant::now() > until {
                tracing::warn!("what runs here did not end in time; others take it all the same");
                return;
            }
            std::thread::park_timeout(LOOK_EVERY);
        }
    }

    fn post_rebalance(&self, consumer: &BaseConsumer<Self>, rebalance: &Rebalance<'_>) {
        match rebalance {
            Rebalance::Assign(partitions) => {
                if let Err(error) = consumer.pause(partitions) {
                    tracing::warn!(%error, "the events are read in vain");
                }
                let partitions = numbers(partitions);
                if !partitions.is_empty() {
                    // Nobody is left to be told when the other end is gone.
                    drop(self.changes.send(Ok(Change::Assigned(partitions))));
                }
            }
            Rebalance::Revoke(_) => {}
            Rebalance::Error(error) => tracing::warn!(%error, "membership"),
        }
    }
}

fn numbers(partitions: &TopicPartitionList) -> Vec<u32> {
    let elements = partitions.elements();
    elements
        .iter()
        .filter_map(|element| u32::try_from(element.partition()).ok())
        .collect()
}
