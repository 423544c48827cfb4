use std::collections::{BTreeMap, VecDeque};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::Message as _;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout_at};

use super::client::{is_silence, with_mend};
use super::message::record;
use super::position::POSITION;
use super::readers::{Lent, Readers};
use crate::{Error, Position, Record, Stream};

/// A wait that is over in less than this may have ended before what was there came over the wire,
/// so the brokers are asked. After a longer one they are asked too, but need not answer.
const SHORT: Duration = Duration::from_secs(1);

/// A follower's place on Kafka.
#[derive(Debug)]
pub(crate) struct Tail {
    stream: Stream,
    places: BTreeMap<u32, Place>,
    /// Read but not given yet.
    ready: VecDeque<Record>,
    reader: Option<Lent>,
    /// Whether the reader reads where `places` say.
    assigned: bool,
    /// A look at the brokers that is on its way, with the reader; it outlives a call that is dropped.
    survey: Option<JoinHandle<Result<Survey, Error>>>,
    readers: Arc<Readers>,
    closed: watch::Receiver<bool>,
}

#[derive(Clone, Copy, Debug)]
struct Place {
    /// The next offset to read; `None` is the first that is kept.
    next: Option<u64>,
    /// The last record that was given, or where it was begun after.
    given: Option<u64>,
}

impl Tail {
    pub(super) fn new(
        stream: Stream,
        partitions: &[u32],
        from: &Position,
        readers: Arc<Readers>,
        closed: watch::Receiver<bool>,
    ) -> Self {
        let place = |partition: &u32| {
            let given = from.offset(*partition);
            let next = given.map(|given| given.saturating_add(1));
            (*partition, Place { next, given })
        };
        Self {
            stream,
            places: partitions.iter().map(place).collect(),
            ready: VecDeque::new(),
            reader: None,
            assigned: false,
            survey: None,
            readers,
            closed,
        }
    }

    pub(crate) async fn next_batch(
        &mut self,
        max: usize,
        deadline: Duration,
    ) -> Result<Vec<Record>, Error> {
        let short = deadline < SHORT;
        let mut deadline = pin!(sleep(deadline));
        let mut closed = self.closed.clone();
        let mut over = false;
        loop {
            if *closed.borrow() {
                return Err(Error::Closed);
            }
            self.take_what_is_here()?;
            if !self.ready.is_empty() {
                return Ok(self.give(max));
            }
            if over {
                match self.read_to_the_end(true).await {
                    Ok(()) => return Ok(self.give(max)),
                    Err(Error::Silent { .. }) if !short => return Ok(Vec::new()),
                    Err(error) => return Err(error),
                }
            }
            if !self.assigned {
                self.survey(true).await?;
            }
            tokio::select! {
                biased;
                // An error means that the bus is gone.
                _ = closed.wait_for(|closed| *closed) => return Err(Error::Closed),
                read = Self::read(&self.reader) => self.take(read?)?,
                () = &mut deadline => over = true,
            }
        }
    }

    pub(crate) async fn catch_up(&mut self) -> Result<Vec<Record>, Error> {
        if *self.closed.borrow() {
            return Err(Error::Closed);
        }
        self.read_to_the_end(false).await?;
        let mut records = self.give(usize::MAX);
        if self.stream.is_compacted() {
            let mut latest = BTreeMap::new();
            for (n, record) in records.iter().enumerate() {
                latest.insert((record.partition, record.key.clone()), n);
            }
            let mut n = 0;
            records.retain(|record| {
                let is_latest = latest.get(&(record.partition, record.key.clone())) == Some(&n);
                n += 1;
                is_latest
            });
        }
        Ok(records)
    }

    /// Everything before the next offset to read is over: given, or no record of ours.
    pub(crate) fn position(&self, partition: u32) -> Option<u64> {
        let place = self.places.get(&partition)?;
        if self
            .ready
            .iter()
            .any(|record| record.partition == partition)
        {
            return place.given;
        }
        let passed = place.next.and_then(|next| next.checked_sub(1));
        passed.max(place.given)
    }

    /// Reads all that is there at this moment, or with `any` until there is something to give.
    ///
    /// That a partition is at its end is known by its number alone, so it counts only when the
    /// reader began after the end was asked for. Nothing is lost when it is dropped.
    async fn read_to_the_end(&mut self, any: bool) -> Result<(), Error> {
        let until = Instant::now() + self.readers.limit();
        if self.survey.is_some() {
            // It may have been begun before.
            self.survey(false).await?;
        }
        let mut behind = self.survey(false).await?;
        while !behind.is_empty() && (!any || self.ready.is_empty()) {
            let read = timeout_at(until, Self::read(&self.reader)).await;
            let read =
                read.map_err(|_elapsed| self.readers.naming.silent(self.readers.limit()))??;
            if let Read::End(partition) = read
                && let Some(end) = behind.remove(&partition)
                && let Some(place) = self.places.get_mut(&partition)
            {
                place.next = place.next.max(Some(end));
            } else {
                self.take(read)?;
            }
            if !self.assigned {
                // An offset was lost on the way.
                return Err(self
                    .readers
                    .naming
                    .storage("a log changed while it was read"));
            }
            behind.retain(|partition, end| self.next(*partition) < *end);
        }
        Ok(())
    }

    /// Looks where the partitions begin and end, and has the reader begin anew where we are, if it
    /// must or there is something to read. Gives the ends that are ahead.
    async fn survey(&mut self, anew: bool) -> Result<BTreeMap<u32, u64>, Error> {
        let survey = match &mut self.survey {
            Some(survey) => survey,
            empty => {
                self.assigned = self.assigned && !anew;
                let look = Look {
                    stream: self.stream,
                    anew: anew || !self.assigned,
                    places: self
                        .places
                        .iter()
                        .map(|(id, place)| (*id, place.next))
                        .collect(),
                    reader: self.reader.take(),
                    readers: Arc::clone(&self.readers),
                };
                empty.insert(tokio::spawn(look.run()))
            }
        };
        let looked = survey.await;
        self.survey = None;
        self.assigned = false;
        let survey = looked.map_err(|error| self.readers.naming.storage(&error))??;
        self.reader = Some(survey.reader);
        for (partition, next) in survey.places {
            if let Some(place) = self.places.get_mut(&partition) {
                place.next = Some(next);
            }
        }
        self.assigned = true;
        Ok(survey.behind)
    }

    fn next(&self, partition: u32) -> u64 {
        self.places
            .get(&partition)
            .and_then(|place| place.next)
            .unwrap_or_default()
    }

    /// The next that the reader has. May be dropped at any moment.
    async fn read(reader: &Option<Lent>) -> Result<Read, Error> {
        let Some(reader) = reader else {
            return Err(Error::Closed);
        };
        let stream = reader.stream();
        Ok(match reader.consumer()?.recv().await {
            Ok(message) => Read::Record {
                tombstone: message.payload().is_none(),
                record: record(stream, &message),
            },
            Err(KafkaError::PartitionEOF(partition)) => {
                Read::End(u32::try_from(partition).unwrap_or_default())
            }
            Err(error) => Read::Failed(error),
        })
    }

    /// What has come already, without a wait.
    fn take_what_is_here(&mut self) -> Result<(), Error> {
        use futures_util::FutureExt as _;
        while self.assigned && self.ready.len() < AT_ONCE {
            match Self::read(&self.reader).now_or_never() {
                Some(read) => self.take(read?)?,
                None => return Ok(()),
            }
        }
        Ok(())
    }

    fn take(&mut self, read: Read) -> Result<(), Error> {
        match read {
            Read::Record { record, tombstone } => {
                let Some(place) = self.places.get_mut(&record.partition) else {
                    return Ok(());
                };
                if place.next.is_some_and(|next| record.offset < next) {
                    return Ok(());
                }
                place.next = Some(record.offset + 1);
                let ours = self.stream == Stream::Snapshots && record.key == POSITION;
                if tombstone {
                    self.ready.retain(|former| {
                        (former.partition, &former.key) != (record.partition, &record.key)
                    });
                } else if !ours {
                    self.ready.push_back(record);
                }
                Ok(())
            }
            Read::End(_) => Ok(()),
            Read::Failed(error) => self.failed(&error),
        }
    }

    fn failed(&mut self, error: &KafkaError) -> Result<(), Error> {
        let code = error.rdkafka_error_code();
        if code == Some(RDKafkaErrorCode::AutoOffsetReset)
            || code == Some(RDKafkaErrorCode::OffsetOutOfRange)
        {
            tracing::warn!(stream = %self.stream, %error, "looks where the stream begins and ends");
            self.assigned = false;
            return Ok(());
        }
        if is_silence(error) {
            tracing::debug!(stream = %self.stream, %error, "waits for the brokers");
            return Ok(());
        }
        Err(self.readers.naming.storage(&with_mend(error)))
    }

    fn give(&mut self, max: usize) -> Vec<Record> {
        let batch: Vec<Record> = self.ready.drain(..max.min(self.ready.len())).collect();
        for record in &batch {
            if let Some(place) = self.places.get_mut(&record.partition) {
                place.given = Some(record.offset);
            }
        }
        batch
    }
}

/// How many records wait in memory at most before some are given.
const AT_ONCE: usize = 1_000;

/// What is looked at, and from where.
struct Look {
    stream: Stream,
    /// Whether the reader must begin anew also where nothing is ahead.
    anew: bool,
    /// The next offset to read; `None` is the first that is kept.
    places: BTreeMap<u32, Option<u64>>,
    reader: Option<Lent>,
    readers: Arc<Readers>,
}

/// What was found.
#[derive(Debug)]
struct Survey {
    reader: Lent,
    places: BTreeMap<u32, u64>,
    /// The end of each partition that is ahead of us.
    behind: BTreeMap<u32, u64>,
}

impl Look {
    async fn run(self) -> Result<Survey, Error> {
        let reader = match self.reader {
            Some(reader) => reader,
            None => self.readers.lend(self.stream).await?,
        };
        let partitions = self.places.keys().copied().collect();
        let bounds = reader.bounds(partitions, self.readers.limit()).await?;
        let mut places = BTreeMap::new();
        let mut behind = BTreeMap::new();
        for (partition, bounds) in bounds {
            let next = self.places.get(&partition).copied().flatten();
            let next = next.unwrap_or(bounds.first);
            if next > bounds.end {
                return Err(Error::BeyondEnd {
                    stream: self.stream,
                    partition,
                    offset: next.saturating_sub(1),
                    end: bounds.end.checked_sub(1),
                });
            }
            // What retention took in between is gone for everybody.
            let next = next.max(bounds.first);
            places.insert(partition, next);
            if next < bounds.end {
                behind.insert(partition, bounds.end);
            }
        }
        if self.anew || !behind.is_empty() {
            reader.assign(places.clone().into_iter().collect()).await?;
        }
        Ok(Survey {
            reader,
            places,
            behind,
        })
    }
}

#[derive(Debug)]
enum Read {
    Record { record: Record, tombstone: bool },
    End(u32),
    Failed(KafkaError),
}
