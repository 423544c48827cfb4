//! Consumers that are lent: each is warm, so that a read costs no connection and no search for the
//! brokers (a topic that a consumer does not know yet costs it a second).

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rdkafka::consumer::{Consumer as _, StreamConsumer};
use rdkafka::error::KafkaError;
use rdkafka::metadata::MetadataTopic;
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

use super::client::{Context, Naming, patiently};
use super::message::{id, offset, wanted};
use super::settings::Settings;
use crate::{Error, Stream};

/// How many are kept while nobody reads.
const IDLE_MAX: usize = 8;

/// All consumers of a bus.
#[derive(Debug)]
pub(super) struct Readers {
    settings: Settings,
    pub(super) naming: Naming,
    /// `None` when the bus is closed.
    idle: Mutex<Option<Vec<Reader>>>,
}

struct Reader {
    consumer: Arc<StreamConsumer<Context>>,
    /// The topics whose leaders it knows.
    knows: BTreeSet<Stream>,
}

impl std::fmt::Debug for Reader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reader")
            .field("knows", &self.knows)
            .finish_non_exhaustive()
    }
}

/// A consumer in use. It goes back when this is dropped.
#[derive(Debug)]
pub(super) struct Lent {
    reader: Option<Reader>,
    readers: Arc<Readers>,
    stream: Stream,
}

/// Where a partition begins and ends: the first offset that is kept, and the first that is not
/// used yet, or not decided yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Bounds {
    pub(super) first: u64,
    pub(super) end: u64,
}

impl Readers {
    pub(super) fn new(settings: Settings, naming: Naming) -> Self {
        Self {
            settings,
            naming,
            idle: Mutex::new(Some(Vec::new())),
        }
    }

    pub(super) fn topic(&self, stream: Stream) -> String {
        self.settings.topic(stream)
    }

    pub(super) fn limit(&self) -> Duration {
        self.settings.answer_within()
    }

    /// A consumer that knows the stream's topic.
    pub(super) async fn lend(self: &Arc<Self>, stream: Stream) -> Result<Lent, Error> {
        let found = {
            let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
            let idle = idle.as_mut().ok_or(Error::Closed)?;
            let fit = idle
                .iter()
                .position(|reader| reader.knows.contains(&stream));
            match fit {
                Some(fit) => Some(idle.swap_remove(fit)),
                None => idle.pop(),
            }
        };
        if let Some(reader) = found {
            if reader.knows.contains(&stream) {
                return Ok(self.lent(reader, stream));
            }
            return self.introduce(Some(reader), stream).await;
        }
        self.introduce(None, stream).await
    }

    /// Has a consumer learn where the topic's leaders are.
    async fn introduce(
        self: &Arc<Self>,
        reader: Option<Reader>,
        stream: Stream,
    ) -> Result<Lent, Error> {
        let readers = Arc::clone(self);
        let work = tokio::task::spawn_blocking(move || {
            let mut reader = match reader {
                Some(reader) => reader,
                None => readers.make()?,
            };
            let limit = readers.limit();
            let topic = readers.topic(stream);
            let known = patiently(limit, |left| {
                let found = reader.consumer.fetch_metadata(Some(&topic), left)?;
                let mut topics = found.topics().iter();
                let wrong = topics.find_map(MetadataTopic::error);
                wrong.map_or(Ok(()), |wrong| Err(KafkaError::MetadataFetch(wrong.into())))
            });
            known.map_err(|error| readers.naming.failed(&error, limit))?;
            reader.knows.insert(stream);
            Ok(reader)
        });
        let reader = work.await.map_err(|error| self.naming.storage(&error))??;
        Ok(self.lent(reader, stream))
    }

    fn make(&self) -> Result<Reader, Error> {
        let config = self.settings.reader()?;
        let consumer = config
            .create_with_context(Context)
            .map_err(|error| Error::Settings {
                detail: error.to_string(),
            })?;
        Ok(Reader {
            consumer: Arc::new(consumer),
            knows: BTreeSet::new(),
        })
    }

    fn lent(self: &Arc<Self>, reader: Reader, stream: Stream) -> Lent {
        Lent {
            reader: Some(reader),
            readers: Arc::clone(self),
            stream,
        }
    }

    /// Lets go of those that are idle now and of the others when their reader is done.
    pub(super) fn close(&self) {
        let idle = self
            .idle
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        // Waits for librdkafka's threads.
        drop(idle);
    }

    fn take_back(&self, reader: Reader) {
        // Until then it fetches on.
        if let Err(error) = reader.consumer.unassign() {
            tracing::debug!(%error, "a consumer is thrown away");
            return;
        }
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        match idle.as_mut() {
            Some(idle) if idle.len() < IDLE_MAX => idle.push(reader),
            Some(_) | None => {
                drop(idle);
                drop(reader);
            }
        }
    }
}

impl Lent {
    pub(super) fn stream(&self) -> Stream {
        self.stream
    }

    /// The consumer, which is there until this is dropped.
    pub(super) fn consumer(&self) -> Result<&Arc<StreamConsumer<Context>>, Error> {
        let reader = self.reader.as_ref().ok_or(Error::Closed)?;
        Ok(&reader.consumer)
    }

    /// Where these partitions begin and end now.
    pub(super) async fn bounds(
        &self,
        partitions: Vec<u32>,
        limit: Duration,
    ) -> Result<Vec<(u32, Bounds)>, Error> {
        let consumer = Arc::clone(self.consumer()?);
        let topic = self.readers.topic(self.stream);
        let naming = self.readers.naming.clone();
        let work = tokio::task::spawn_blocking(move || {
            let bounds = |partition| {
                let found = patiently(limit, |left| {
                    consumer.fetch_watermarks(&topic, id(partition), left)
                });
                let (first, end) = found.map_err(|error| naming.failed(&error, limit))?;
                let bounds = Bounds {
                    first: offset(first),
                    end: offset(end),
                };
                Ok((partition, bounds))
            };
            partitions.into_iter().map(bounds).collect()
        });
        work.await
            .map_err(|error| self.readers.naming.storage(&error))?
    }

    /// Reads from these offsets on, and from nowhere else. What was fetched before is forgotten.
    pub(super) async fn assign(&self, from: Vec<(u32, u64)>) -> Result<(), Error> {
        let consumer = Arc::clone(self.consumer()?);
        let topic = self.readers.topic(self.stream);
        let work = tokio::task::spawn_blocking(move || {
            let mut places = TopicPartitionList::with_capacity(from.len());
            for (partition, from) in from {
                places.add_partition_offset(&topic, id(partition), Offset::Offset(wanted(from)))?;
            }
            consumer.assign(&places)
        });
        let naming = &self.readers.naming;
        let assigned = work.await.map_err(|error| naming.storage(&error))?;
        assigned.map_err(|error| naming.storage(&error))
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        let Some(reader) = self.reader.take() else {
            return;
        };
        let readers = Arc::clone(&self.readers);
        // It waits for librdkafka, which this thread may not.
        let taken = std::thread::Builder::new()
            .name("bus-reader".to_owned())
            .spawn(move || readers.take_back(reader));
        if let Err(error) = taken {
            tracing::warn!(%error, "a consumer is thrown away");
        }
    }
}
