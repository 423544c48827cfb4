//! What librdkafka says, and what its errors mean.

use std::sync::Arc;
use std::time::{Duration, Instant};

use rdkafka::client::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::ConsumerContext;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};

use crate::{Error, Home};

/// How soon brokers that were not ready are asked again.
const ASK_AGAIN: Duration = Duration::from_millis(20);

/// Carries librdkafka's own words into our log.
#[derive(Clone, Copy, Debug)]
pub(super) struct Context;

impl ClientContext for Context {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        match level {
            // Brokers that come and go are told at these levels, again and again.
            RDKafkaLogLevel::Emerg
            | RDKafkaLogLevel::Alert
            | RDKafkaLogLevel::Critical
            | RDKafkaLogLevel::Error
            | RDKafkaLogLevel::Warning => tracing::warn!(facility, message, "librdkafka"),
            RDKafkaLogLevel::Notice | RDKafkaLogLevel::Info | RDKafkaLogLevel::Debug => {
                tracing::debug!(facility, message, "librdkafka");
            }
        }
    }

    fn error(&self, error: KafkaError, reason: &str) {
        tracing::debug!(%error, reason, "librdkafka");
    }
}

impl ConsumerContext for Context {}

/// Makes errors that name the brokers.
#[derive(Clone, Debug)]
pub(super) struct Naming {
    brokers: Arc<str>,
}

impl Naming {
    pub(super) fn new(brokers: &str) -> Self {
        Self {
            brokers: brokers.into(),
        }
    }

    pub(super) fn storage(&self, detail: &(impl ToString + ?Sized)) -> Error {
        Error::Storage {
            home: self.home(),
            detail: detail.to_string(),
        }
    }

    pub(super) fn silent(&self, limit: Duration) -> Error {
        Error::Silent {
            home: self.home(),
            limit,
        }
    }

    /// What a question came to that failed: nobody answered in time, or the answer was no.
    pub(super) fn failed(&self, error: &KafkaError, limit: Duration) -> Error {
        if is_silence(error) {
            self.silent(limit)
        } else {
            self.storage(&with_mend(error))
        }
    }

    fn home(&self) -> Home {
        Home::Kafka(self.brokers.as_ref().to_owned())
    }
}

/// Asks again as long as brokers are not ready: a partition that was just made, or whose leader has
/// died, has none for a moment, and librdkafka hands that through. Blocks.
pub(super) fn patiently<T>(
    limit: Duration,
    mut ask: impl FnMut(Duration) -> Result<T, KafkaError>,
) -> Result<T, KafkaError> {
    let begun = Instant::now();
    loop {
        let left = limit.saturating_sub(begun.elapsed());
        match ask(left) {
            Err(error) if is_silence(&error) && begun.elapsed() + ASK_AGAIN < limit => {
                std::thread::park_timeout(ASK_AGAIN);
            }
            answer => return answer,
        }
    }
}

/// Whether an error says no more than that a broker was not there or not ready, so that the same
/// may be done again.
pub(super) fn is_silence(error: &KafkaError) -> bool {
    use RDKafkaErrorCode as Code;
    error.rdkafka_error_code().is_some_and(|code| {
        matches!(
            code,
            Code::AllBrokersDown
                | Code::BrokerDestroy
                | Code::BrokerNotAvailable
                | Code::BrokerTransportFailure
                | Code::CoordinatorLoadInProgress
                | Code::CoordinatorNotAvailable
                | Code::LeaderNotAvailable
                | Code::MessageTimedOut
                | Code::NetworkException
                | Code::NotCoordinator
                | Code::NotEnoughReplicas
                | Code::NotEnoughReplicasAfterAppend
                | Code::NotLeaderForPartition
                | Code::OffsetNotAvailable
                | Code::OperationTimedOut
                | Code::PurgeInflight
                | Code::PurgeQueue
                | Code::ReplicaNotAvailable
                | Code::RequestTimedOut
                | Code::Resolve
                | Code::TimedOutQueue
                | Code::UnknownPartition
                | Code::WaitingForCoordinator
        )
    })
}

/// An error in librdkafka's words, with the mend where there is one.
pub(super) fn with_mend(error: &KafkaError) -> String {
    use RDKafkaErrorCode as Code;
    let code = error.rdkafka_error_code();
    let mend = if code == Some(Code::UnknownTopic) || code == Some(Code::UnknownTopicOrPartition) {
        "; make the topics with `poolshift topics create`"
    } else if code == Some(Code::TopicAuthorizationFailed)
        || code == Some(Code::GroupAuthorizationFailed)
        || code == Some(Code::TransactionalIdAuthorizationFailed)
        || code == Some(Code::ClusterAuthorizationFailed)
    {
        "; docs/kafka.md lists what each process must be allowed"
    } else {
        ""
    };
    format!("{error}{mend}")
}

/// Whether another took what we had.
pub(super) fn is_fence(code: RDKafkaErrorCode) -> bool {
    matches!(
        code,
        RDKafkaErrorCode::Fenced
            | RDKafkaErrorCode::ProducerFenced
            | RDKafkaErrorCode::InvalidProducerEpoch
    )
}

/// Whether the same call may be made again.
pub(super) fn can_repeat(error: &KafkaError) -> bool {
    if let KafkaError::Transaction(error) = error {
        return error.is_retriable();
    }
    is_silence(error)
}

/// Whether a transaction can only be given up.
pub(super) fn requires_abort(error: &KafkaError) -> bool {
    matches!(error, KafkaError::Transaction(error) if error.txn_requires_abort())
}
