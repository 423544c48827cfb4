//! The right to write to a partition: a producer with the partition's transactional id. Who takes
//! it anew fences whoever had it, and ends its open transaction.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::producer::{FutureProducer, Producer as _};
use tokio::time::{Instant, sleep, timeout_at};

use super::appender::{drop_apart, offsets, send};
use super::asker::Place;
use super::client::{Context, Naming, can_repeat, is_fence, is_silence, requires_abort, with_mend};
use super::message::Sending;
use super::position;
use super::settings::Settings;
use crate::{Commit, Error, Outgoing, Ownership, Stream};

/// How often the end of a delivery's bookkeeping is looked for before that is done more slowly.
const LOOKS: u32 = 200;

/// What a commit made.
#[derive(Debug)]
pub(super) struct Made {
    /// Of its events.
    pub(super) offsets: Vec<u64>,
    /// The last record of each partition that it wrote to.
    pub(super) last: Vec<Place>,
    /// How many records there were, the bus's own included.
    pub(super) records: u64,
}

pub(crate) struct Seat {
    producer: Option<FutureProducer<Context>>,
    settings: Settings,
    naming: Naming,
    partition: u32,
    /// Another owner took the partition.
    fenced: AtomicBool,
    /// The producer can do no more, or what it did is not known.
    spent: AtomicBool,
}

/// What one transaction writes.
struct Writes {
    events: usize,
    places: Vec<(Stream, u32)>,
    records: Vec<Sending>,
}

/// Why a transaction failed.
enum Failure {
    /// Nothing of it stands.
    Nothing(KafkaError),
    /// It may stand.
    Unknown(KafkaError),
}

impl Seat {
    /// Takes the transactional id, and with it the right. Blocks.
    pub(super) fn take(
        settings: &Settings,
        naming: &Naming,
        partition: u32,
        limit: Duration,
    ) -> Result<Self, Error> {
        let config = settings.owner(partition)?;
        let producer: FutureProducer<Context> =
            config
                .create_with_context(Context)
                .map_err(|error| Error::Settings {
                    detail: error.to_string(),
                })?;
        let until = std::time::Instant::now() + limit;
        loop {
            let left = until.saturating_duration_since(std::time::Instant::now());
            match producer.init_transactions(left) {
                Ok(()) => break,
                Err(error) if can_repeat(&error) && !left.is_zero() => {}
                Err(error) if error.rdkafka_error_code().is_some_and(is_fence) => {
                    return Err(Error::Fenced {
                        partition,
                        epoch: 0,
                    });
                }
                Err(error) => return Err(naming.failed(&error, limit)),
            }
        }
        Ok(Self {
            producer: Some(producer),
            settings: settings.clone(),
            naming: naming.clone(),
            partition,
            fenced: AtomicBool::new(false),
            spent: AtomicBool::new(false),
        })
    }

    /// Appends `taken` and makes its offset the epoch, unless that would not be above the former
    /// one: then nothing is written.
    pub(super) async fn announce(
        self: &Arc<Self>,
        base: u64,
        taken: Outgoing,
        former: Option<Ownership>,
    ) -> Result<(u64, Ownership), Error> {
        let former_epoch = former.map_or(0, |former| former.epoch);
        let until = Instant::now() + self.settings.answer_within();
        loop {
            self.begin().await?;
            let taken = vec![self.sending(Stream::Events, self.partition, taken.clone())];
            let taken_at = match self.deliver(&taken, until).await {
                Ok(offsets) => offsets.first().copied().unwrap_or_default(),
                Err(error) => return Err(self.give_up(&error).await),
            };
            if taken_at == 0 {
                // Else the epoch would be the base itself, and without one 0, which is nobody's.
                // What is given up keeps its place, so the next is higher.
                self.abort().await?;
                continue;
            }
            let epoch = base
                .checked_add(taken_at)
                .filter(|epoch| *epoch > former_epoch && i64::try_from(*epoch).is_ok());
            let Some(epoch) = epoch else {
                self.abort().await?;
                return Err(Error::EpochTooLow {
                    partition: self.partition,
                    base,
                    former: former_epoch,
                });
            };
            let ownership = Ownership {
                epoch,
                consumed: former.and_then(|former| former.consumed),
            };
            let position = position::stored(ownership);
            let position = vec![self.sending(Stream::Snapshots, self.partition, position)];
            if let Err(error) = self.deliver(&position, until).await {
                return Err(self.give_up(&error).await);
            }
            self.commit_transaction(until).await?;
            return Ok((taken_at, ownership));
        }
    }

    /// Writes a decision, with the position that `ownership` says is reached by it.
    pub(super) async fn commit(
        self: &Arc<Self>,
        commit: Commit,
        ownership: Ownership,
    ) -> Result<Made, Error> {
        let partition = self.partition;
        if self.fenced.load(Ordering::Relaxed) {
            return Err(self.fenced_at(ownership.epoch));
        }
        if self.spent.load(Ordering::Relaxed) {
            return Err(Error::InDoubt { partition });
        }
        let writes = self.writes(commit, ownership);
        let until = Instant::now() + self.settings.answer_within();
        let done = async {
            self.begin().await?;
            let offsets = match self.deliver(&writes.records, until).await {
                Ok(offsets) => offsets,
                Err(error) => return Err(self.give_up(&error).await),
            };
            self.commit_transaction(until).await?;
            let places = writes.places.iter().zip(&offsets);
            let last: BTreeMap<(Stream, u32), u64> =
                places.map(|(place, offset)| (*place, *offset)).collect();
            Ok(Made {
                last: last
                    .into_iter()
                    .map(|((stream, id), at)| (stream, id, at))
                    .collect(),
                offsets: offsets.into_iter().take(writes.events).collect(),
                records: writes.records.len() as u64,
            })
        };
        match done.await {
            // The seat does not know its epoch.
            Err(Error::Fenced { .. }) => Err(self.fenced_at(ownership.epoch)),
            done => done,
        }
    }

    fn writes(&self, commit: Commit, ownership: Ownership) -> Writes {
        let own = self.partition;
        let events = commit.events.len();
        let position = position::stored(ownership);
        let streams = [
            (Stream::Events, commit.events),
            (Stream::Commands, commit.commands),
            (Stream::Snapshots, commit.snapshots),
            (Stream::Rejected, commit.rejected),
            (Stream::Snapshots, vec![position]),
        ];
        let own = streams
            .into_iter()
            .flat_map(|(stream, all)| all.into_iter().map(move |one| (stream, own, one)));
        let told = commit.reports.into_iter();
        let told = told.map(|(partition, report)| (Stream::Reports, partition, report));
        let (places, records) = own
            .chain(told)
            .map(|(stream, partition, record)| {
                ((stream, partition), self.sending(stream, partition, record))
            })
            .unzip();
        Writes {
            events,
            places,
            records,
        }
    }

    fn sending(&self, stream: Stream, partition: u32, record: Outgoing) -> Sending {
        Sending::new(self.settings.topic(stream), partition, record)
    }

    async fn begin(self: &Arc<Self>) -> Result<(), Error> {
        let begun = self
            .blocking(|producer| producer.begin_transaction())
            .await?;
        match begun {
            Ok(()) => Ok(()),
            Err(error) => Err(self.judge(Failure::Nothing(error))),
        }
    }

    /// Sends these, and awaits that all replicas have them.
    async fn deliver(&self, records: &[Sending], until: Instant) -> Result<Vec<u64>, KafkaError> {
        let Some(producer) = &self.producer else {
            return Err(KafkaError::Canceled);
        };
        let deliveries = send(producer, records, until).await?;
        match timeout_at(until, offsets(deliveries)).await {
            Ok(delivered) => delivered,
            Err(_elapsed) => Err(KafkaError::Flush(RDKafkaErrorCode::OperationTimedOut)),
        }
    }

    async fn commit_transaction(self: &Arc<Self>, until: Instant) -> Result<(), Error> {
        // With anything left in the producer's books a commit costs a whole slice of its poll,
        // 100 ms; they are closed right after the last delivery was told.
        let mut looks = 0;
        while self.in_flight() && Instant::now() < until {
            looks += 1;
            if looks < LOOKS {
                tokio::task::yield_now().await;
            } else {
                sleep(Duration::from_millis(1)).await;
            }
        }
        loop {
            let left = until.saturating_duration_since(Instant::now());
            let done = self
                .blocking(move |producer| producer.commit_transaction(left))
                .await?;
            match done {
                Ok(()) => return Ok(()),
                Err(error) if requires_abort(&error) => {
                    return Err(self.give_up(&error).await);
                }
                Err(error) if can_repeat(&error) && !left.is_zero() => {}
                Err(error) => return Err(self.judge(Failure::Unknown(error))),
            }
        }
    }

    /// Ends a transaction that was not committed.
    async fn give_up(self: &Arc<Self>, error: &KafkaError) -> Error {
        let judged = self.judge(Failure::Nothing(error.clone()));
        if !matches!(judged, Error::Fenced { .. })
            && let Err(abort) = self.abort().await
        {
            tracing::debug!(partition = self.partition, %abort, "a transaction is left to the brokers");
            if let Error::Fenced { .. } = abort {
                return abort;
            }
        }
        judged
    }

    async fn abort(self: &Arc<Self>) -> Result<(), Error> {
        let limit = self.settings.answer_within();
        let aborted = self
            .blocking(move |producer| producer.abort_transaction(limit))
            .await?;
        match aborted {
            Ok(()) => Ok(()),
            Err(error) => {
                // Nobody can commit it any more: it ends by its time, or by the next owner.
                self.spent.store(true, Ordering::Relaxed);
                Err(self.judge(Failure::Nothing(error)))
            }
        }
    }

    /// What a failure comes to. That another has the id is found out by whichever call is next, and
    /// a delivery then fails with another word.
    fn judge(&self, failure: Failure) -> Error {
        let (error, known) = match failure {
            Failure::Nothing(error) => (error, true),
            Failure::Unknown(error) => (error, false),
        };
        let fatal = self
            .producer
            .as_ref()
            .and_then(|producer| producer.client().fatal_error());
        let code = fatal
            .map(|(code, _)| code)
            .or_else(|| error.rdkafka_error_code());
        if code.is_some_and(is_fence) {
            self.fenced.store(true, Ordering::Relaxed);
            // The epoch is filled in by who knows it.
            return self.fenced_at(0);
        }
        tracing::debug!(partition = self.partition, %error, known, "a transaction failed");
        if !known {
            self.spent.store(true, Ordering::Relaxed);
            return self.naming.silent(self.settings.answer_within());
        }
        if self
            .producer
            .as_ref()
            .is_some_and(|producer| producer.client().fatal_error().is_some())
        {
            self.spent.store(true, Ordering::Relaxed);
        }
        if is_silence(&error) {
            return self
                .naming
                .storage("the brokers gave no answer; nothing was written");
        }
        self.naming.storage(&with_mend(&error))
    }

    fn fenced_at(&self, epoch: u64) -> Error {
        Error::Fenced {
            partition: self.partition,
            epoch,
        }
    }

    fn in_flight(&self) -> bool {
        self.producer
            .as_ref()
            .is_some_and(|producer| producer.in_flight_count() > 0)
    }

    /// Runs a call that waits for the brokers where it may.
    async fn blocking<T: Send + 'static>(
        self: &Arc<Self>,
        call: impl FnOnce(&FutureProducer<Context>) -> Result<T, KafkaError> + Send + 'static,
    ) -> Result<Result<T, KafkaError>, Error> {
        let seat = Arc::clone(self);
        let done = tokio::task::spawn_blocking(move || match &seat.producer {
            Some(producer) => call(producer),
            None => Err(KafkaError::Canceled),
        });
        done.await.map_err(|error| self.naming.storage(&error))
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        if let Some(producer) = self.producer.take() {
            drop_apart(producer);
        }
    }
}

impl std::fmt::Debug for Seat {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Seat")
            .field("partition", &self.partition)
            .finish_non_exhaustive()
    }
}
