//! Questions about where partitions end, by a consumer that reads nothing.

use std::sync::Arc;
use std::time::Duration;

use rdkafka::consumer::{Consumer as _, StreamConsumer};
use rdkafka::error::KafkaError;
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use tokio::time::{Instant, sleep};

use super::client::{Context, Naming, patiently};
use super::message::{id, offset};
use super::settings::Settings;
use crate::{Error, Stream};

/// How long a commit waits until everybody sees it. It stands before that, and goes on standing.
const SEEN_WITHIN: Duration = Duration::from_millis(250);

/// Between two looks.
const LOOK_EVERY: Duration = Duration::from_millis(1);

#[derive(Clone)]
pub(super) struct Asker {
    consumer: Arc<StreamConsumer<Context>>,
    settings: Settings,
    naming: Naming,
}

/// The place of a record.
pub(super) type Place = (Stream, u32, u64);

impl Asker {
    /// Blocks while it finds the leaders of all topics that it may see.
    pub(super) fn new(settings: &Settings, naming: &Naming) -> Result<Self, Error> {
        let consumer: StreamConsumer<Context> = settings
            .reader()?
            .create_with_context(Context)
            .map_err(|error| Error::Settings {
                detail: error.to_string(),
            })?;
        let limit = settings.answer_within();
        for stream in Stream::ALL {
            let topic = settings.topic(stream);
            let found = patiently(limit, |left| consumer.fetch_metadata(Some(&topic), left));
            found.map_err(|error| naming.failed(&error, limit))?;
        }
        Ok(Self {
            consumer: Arc::new(consumer),
            settings: settings.clone(),
            naming: naming.clone(),
        })
    }

    /// The first offset that is not used yet, or not decided yet.
    pub(super) async fn end(&self, stream: Stream, partition: u32) -> Result<u64, Error> {
        let asker = self.clone();
        let work = tokio::task::spawn_blocking(move || {
            let limit = asker.settings.answer_within();
            let topic = asker.settings.topic(stream);
            let found = patiently(limit, |left| {
                asker.consumer.fetch_watermarks(&topic, id(partition), left)
            });
            found.map_err(|error| asker.naming.failed(&error, limit))
        });
        let (_, end) = work.await.map_err(|error| self.naming.storage(&error))??;
        Ok(offset(end))
    }

    /// Waits until readers see these records: a commit is answered before its marks are in all the
    /// partitions, and the next one is put off by the brokers until they are.
    pub(super) async fn seen(&self, places: Vec<Place>) {
        let until = Instant::now() + SEEN_WITHIN;
        let places = Arc::new(places);
        while Instant::now() < until {
            let (asker, asked) = (self.clone(), Arc::clone(&places));
            let work = tokio::task::spawn_blocking(move || asker.are_seen(&asked));
            match work.await {
                Ok(Ok(true)) | Err(_) => return,
                Ok(Ok(false)) => sleep(LOOK_EVERY).await,
                Ok(Err(error)) => {
                    tracing::debug!(%error, "whether a commit is seen is not known");
                    sleep(LOOK_EVERY).await;
                }
            }
        }
    }

    fn are_seen(&self, places: &[Place]) -> Result<bool, KafkaError> {
        let mut asked = TopicPartitionList::with_capacity(places.len());
        for (stream, partition, _) in places {
            let topic = self.settings.topic(*stream);
            asked.add_partition_offset(&topic, id(*partition), Offset::End)?;
        }
        let ends = self.consumer.offsets_for_times(asked, SEEN_WITHIN)?;
        Ok(places.iter().all(|(stream, partition, place)| {
            let end = ends.find_partition(&self.settings.topic(*stream), id(*partition));
            match end.map(|end| end.offset()) {
                Some(Offset::Offset(end)) => offset(end) > *place,
                Some(_) | None => false,
            }
        }))
    }
}

impl std::fmt::Debug for Asker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Asker").finish_non_exhaustive()
    }
}
