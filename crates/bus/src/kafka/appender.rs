//! Appends for anyone: one idempotent producer for a bus.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::producer::future_producer::DeliveryFuture;
use rdkafka::producer::{FutureProducer, Producer as _};
use tokio::time::{Instant, sleep, timeout_at};

use super::client::{Context, Naming};
use super::message::{Sending, offset};
use super::settings::Settings;
use crate::Error;

/// How soon a producer whose queue is full is asked again.
const QUEUE_FULL: Duration = Duration::from_millis(5);

/// What a delivery's own deadline may be late by.
const GRACE: Duration = Duration::from_secs(2);

#[derive(Clone)]
pub(super) struct Appender {
    settings: Settings,
    naming: Naming,
    producer: Arc<Mutex<FutureProducer<Context>>>,
}

impl Appender {
    /// Blocks while librdkafka starts its threads.
    pub(super) fn new(settings: &Settings, naming: &Naming) -> Result<Self, Error> {
        Ok(Self {
            settings: settings.clone(),
            naming: naming.clone(),
            producer: Arc::new(Mutex::new(make(settings)?)),
        })
    }

    /// Appends in this order; gives the offsets when all are on all replicas.
    pub(super) async fn append(&self, records: &[Sending]) -> Result<Vec<u64>, Error> {
        let limit = self.settings.answer_within() + GRACE;
        let until = Instant::now() + limit;
        let producer = self.producer()?;
        let deliveries = send(&producer, records, until).await;
        let deliveries = deliveries.map_err(|error| self.naming.failed(&error, limit))?;
        let delivered = timeout_at(until, offsets(deliveries)).await;
        let delivered = delivered.map_err(|_elapsed| self.naming.silent(limit))?;
        delivered.map_err(|error| self.naming.failed(&error, self.settings.answer_within()))
    }

    /// Waits for what is on its way. Blocks.
    pub(super) fn flush(&self) -> Result<(), Error> {
        let producer = self
            .producer
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        let limit = self.settings.answer_within();
        let flushed = producer.flush(limit);
        flushed.map_err(|error| self.naming.failed(&error, limit))
    }

    /// The producer, made anew if the one before has failed for good.
    fn producer(&self) -> Result<FutureProducer<Context>, Error> {
        let mut producer = self.producer.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((code, why)) = producer.client().fatal_error() {
            tracing::warn!(%code, why, "appends go on with a new producer");
            let broken = std::mem::replace(&mut *producer, make(&self.settings)?);
            drop_apart(broken);
        }
        Ok(producer.clone())
    }
}

impl std::fmt::Debug for Appender {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Appender").finish_non_exhaustive()
    }
}

/// Gives all records to the producer, in this order.
pub(super) async fn send(
    producer: &FutureProducer<Context>,
    records: &[Sending],
    until: Instant,
) -> Result<Vec<DeliveryFuture>, KafkaError> {
    let mut deliveries = Vec::with_capacity(records.len());
    for record in records {
        loop {
            match producer.send_result(record.message()) {
                Ok(delivery) => {
                    deliveries.push(delivery);
                    break;
                }
                Err((error, _)) => {
                    let is_full = error.rdkafka_error_code() == Some(RDKafkaErrorCode::QueueFull);
                    if !is_full || Instant::now() > until {
                        return Err(error);
                    }
                }
            }
            sleep(QUEUE_FULL).await;
        }
    }
    Ok(deliveries)
}

/// Awaits all deliveries; the first failure is theirs all.
pub(super) async fn offsets(deliveries: Vec<DeliveryFuture>) -> Result<Vec<u64>, KafkaError> {
    let mut offsets = Vec::with_capacity(deliveries.len());
    let mut failure = None;
    for delivery in deliveries {
        match delivery.await {
            Ok(Ok(delivery)) => offsets.push(offset(delivery.offset)),
            Ok(Err((error, _))) => failure = failure.or(Some(error)),
            Err(_canceled) => failure = failure.or(Some(KafkaError::Canceled)),
        }
    }
    failure.map_or(Ok(offsets), Err)
}

/// Lets go of a producer, which waits for librdkafka's threads.
pub(super) fn drop_apart(producer: FutureProducer<Context>) {
    let dropped = std::thread::Builder::new()
        .name("bus-producer-end".to_owned())
        .spawn(move || drop(producer));
    if let Err(error) = dropped {
        tracing::warn!(%error, "a producer was let go of at once");
    }
}

fn make(settings: &Settings) -> Result<FutureProducer<Context>, Error> {
    let config = settings.appender()?;
    config
        .create_with_context(Context)
        .map_err(|error| Error::Settings {
            detail: error.to_string(),
        })
}
