//! The topics: what each must be like, making them, and seeing whether they are so.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, ResourceSpecifier, TopicReplication};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};

use super::client::{Context, Naming, is_silence, with_mend};
use super::config::MESSAGE_BYTES_MAX;
use super::settings::Settings;
use crate::{Error, PARTITIONS, Stream};

/// How long reports and rejected reports are kept at least: as long as a key counts.
const KEPT_MS: i64 = 30 * 24 * 60 * 60 * 1_000;

/// How long brokers may take to hear of a new topic.
const HEARD_OF: Duration = Duration::from_secs(3);

/// How soon they are asked again.
const ASK_AGAIN: Duration = Duration::from_millis(20);

/// A topic after [`create`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Topic {
    /// Its name.
    pub name: String,
    /// Whether it was made now.
    pub made: bool,
    /// What is not as it must be, each with its mend. Empty: all is well.
    pub wrong: Vec<String>,
}

/// Makes the topics that are missing, each with `replicas` copies, and looks at all of them.
/// Nothing is changed at a topic that is there.
///
/// # Errors
/// [`Error::Settings`]; [`Error::Storage`] when the brokers refuse, such as more replicas than there
/// are brokers; [`Error::Silent`].
pub async fn create(settings: &Settings, replicas: u32) -> Result<Vec<Topic>, Error> {
    settings.check()?;
    let naming = Naming::new(&settings.brokers);
    let admin = admin(settings)?;
    let limit = settings.answer_within();
    let options = AdminOptions::new()
        .request_timeout(Some(limit))
        .operation_timeout(Some(limit));
    let replicas_id = i32::try_from(replicas).unwrap_or(i32::MAX);
    let names: Vec<String> = Stream::ALL
        .iter()
        .map(|stream| settings.topic(*stream))
        .collect();
    let wanted: Vec<BTreeMap<&str, String>> = Stream::ALL
        .iter()
        .map(|stream| wanted(*stream, replicas))
        .collect();
    let new: Vec<NewTopic<'_>> = names
        .iter()
        .zip(&wanted)
        .map(|(name, wanted)| {
            let replication = TopicReplication::Fixed(replicas_id);
            let new = NewTopic::new(name, PARTITIONS as i32, replication);
            wanted
                .iter()
                .fold(new, |new, (key, value)| new.set(key, value))
        })
        .collect();
    let made = admin.create_topics(&new, &options).await;
    let made = made.map_err(|error| naming.failed(&error, limit))?;
    let mut topics = Vec::new();
    for result in made {
        let (name, made) = match result {
            Ok(name) => (name, true),
            Err((name, RDKafkaErrorCode::TopicAlreadyExists)) => (name, false),
            Err((name, code)) => {
                let error = KafkaError::AdminOp(code);
                return Err(naming.storage(&format!(
                    "cannot make {name} with {replicas} replicas: {}",
                    with_mend(&error)
                )));
            }
        };
        topics.push(Topic {
            name,
            made,
            wrong: Vec::new(),
        });
    }
    for topic in &mut topics {
        let stream = Stream::ALL
            .into_iter()
            .find(|stream| settings.topic(*stream) == topic.name);
        if let Some(stream) = stream {
            let wrong = look(&admin, settings, &naming, stream, replicas).await?;
            // What the brokers just made is as they were told, once every one of them knows it.
            topic.wrong = if topic.made { Vec::new() } else { wrong };
        }
    }
    Ok(topics)
}

/// Sees that every topic has its partitions. One that this process may not see is not its own to
/// judge.
pub(super) async fn partitions(settings: &Settings, naming: &Naming) -> Result<(), Error> {
    let admin = admin(settings)?;
    let (settings, naming) = (settings.clone(), naming.clone());
    let work = tokio::task::spawn_blocking(move || {
        Stream::ALL.into_iter().try_for_each(|stream| {
            match described(&admin, &settings, &naming, stream)? {
                Described::Hidden => Ok(()),
                Described::Missing => Err(naming.storage(&format!(
                    "{} does not exist; make the topics with `poolshift topics create`",
                    settings.topic(stream)
                ))),
                Described::There { partitions, .. } => {
                    match wrong_partitions(&settings.topic(stream), partitions) {
                        Some(wrong) => Err(naming.storage(&wrong)),
                        None => Ok(()),
                    }
                }
            }
        })
    });
    work.await.map_err(|error| Error::Settings {
        detail: error.to_string(),
    })?
}

/// The settings that a topic must have. Those of its brokers do not matter then.
fn wanted(stream: Stream, replicas: u32) -> BTreeMap<&'static str, String> {
    let (policy, retention_ms) = match stream {
        Stream::Reports | Stream::Rejected => ("delete", KEPT_MS),
        Stream::Events => ("delete", -1),
        Stream::Commands | Stream::Snapshots => ("compact", -1),
    };
    // A write that is acknowledged is on two brokers, where there are three copies.
    let in_sync = if replicas >= 3 { 2 } else { 1 };
    BTreeMap::from([
        ("cleanup.policy", policy.to_owned()),
        ("retention.ms", retention_ms.to_string()),
        ("retention.bytes", "-1".to_owned()),
        ("max.message.bytes", MESSAGE_BYTES_MAX.to_string()),
        ("min.insync.replicas", in_sync.to_string()),
        ("unclean.leader.election.enable", "false".to_owned()),
    ])
}

/// What is wrong with a topic that was there.
async fn look(
    admin: &AdminClient<Context>,
    settings: &Settings,
    naming: &Naming,
    stream: Stream,
    replicas: u32,
) -> Result<Vec<String>, Error> {
    let name = settings.topic(stream);
    let limit = settings.answer_within();
    let mut wrong = Vec::new();
    match described(admin, settings, naming, stream)? {
        Described::Hidden | Described::Missing => {
            return Ok(vec![format!(
                "{name} is there, but may not be looked at: allow Describe"
            )]);
        }
        Described::There {
            partitions,
            replicas: found,
        } => {
            wrong.extend(wrong_partitions(&name, partitions));
            if found < replicas as usize {
                wrong.push(format!(
                    "a partition has {found} replicas, not {replicas}: move it with \
                     kafka-reassign-partitions.sh, or name --replication-factor {found}"
                ));
            }
        }
    }
    let options = AdminOptions::new().request_timeout(Some(limit));
    let asked = [ResourceSpecifier::Topic(&name)];
    let described = admin.describe_configs(&asked, &options).await;
    let described = described.map_err(|error| naming.failed(&error, limit))?;
    for resource in described {
        let resource = resource.map_err(|code| naming.failed(&KafkaError::AdminOp(code), limit))?;
        for (key, value) in wanted(stream, replicas) {
            let entry = resource.get(key).and_then(|entry| entry.value.clone());
            let found = entry.unwrap_or_default();
            if !is_fine(key, &found, &value) {
                wrong.push(format!(
                    "{key} is {found:?}: kafka-configs.sh --alter --entity-type topics \
                     --entity-name {name} --add-config {key}={value}"
                ));
            }
        }
    }
    Ok(wrong)
}

/// Whether a setting does at least what is wanted.
fn is_fine(key: &str, found: &str, wanted: &str) -> bool {
    let number = |text: &str| text.parse::<i64>().ok();
    match (key, number(found), number(wanted)) {
        // -1 is for ever.
        ("retention.ms", Some(found), Some(wanted)) => {
            found == -1 || (wanted != -1 && found >= wanted)
        }
        ("max.message.bytes" | "min.insync.replicas", Some(found), Some(wanted)) => found >= wanted,
        _ => found == wanted,
    }
}

fn wrong_partitions(name: &str, partitions: usize) -> Option<String> {
    (partitions != PARTITIONS as usize).then(|| {
        format!(
            "{name} has {partitions} partitions, it must have {PARTITIONS} for ever, because targets \
             are found by them: if it is empty, delete it and run `poolshift topics create`; if it \
             is not, it was not made by Poolshift: use another Kafka"
        )
    })
}

enum Described {
    There { partitions: usize, replicas: usize },
    Missing,
    Hidden,
}

/// Blocks, also for a while when the topic is missing: brokers hear of a new one at their own time.
fn described(
    admin: &AdminClient<Context>,
    settings: &Settings,
    naming: &Naming,
    stream: Stream,
) -> Result<Described, Error> {
    let name = settings.topic(stream);
    let limit = settings.answer_within();
    let begun = Instant::now();
    loop {
        let left = limit.saturating_sub(begun.elapsed());
        let found = admin.inner().fetch_metadata(Some(&name), left);
        let found = found.map_err(|error| naming.failed(&error, limit))?;
        let Some(topic) = found.topics().iter().find(|topic| topic.name() == name) else {
            return Ok(Described::Missing);
        };
        let error = match topic.error() {
            Some(error) => KafkaError::MetadataFetch(RDKafkaErrorCode::from(error)),
            None => {
                let replicas = topic
                    .partitions()
                    .iter()
                    .map(|it| it.replicas().len())
                    .min();
                return Ok(Described::There {
                    partitions: topic.partitions().len(),
                    replicas: replicas.unwrap_or_default(),
                });
            }
        };
        let code = error.rdkafka_error_code();
        if code == Some(RDKafkaErrorCode::TopicAuthorizationFailed) {
            return Ok(Described::Hidden);
        }
        let missing = code == Some(RDKafkaErrorCode::UnknownTopic)
            || code == Some(RDKafkaErrorCode::UnknownTopicOrPartition);
        if missing && begun.elapsed() > HEARD_OF {
            return Ok(Described::Missing);
        }
        if left.is_zero() || !(missing || is_silence(&error)) {
            return Err(naming.failed(&error, limit));
        }
        std::thread::park_timeout(ASK_AGAIN);
    }
}

fn admin(settings: &Settings) -> Result<AdminClient<Context>, Error> {
    let config = settings.admin()?;
    config
        .create_with_context(Context)
        .map_err(|error| Error::Settings {
            detail: error.to_string(),
        })
}

#[cfg(test)]
mod tests {
    use super::{is_fine, wanted};
    use crate::Stream;

    #[test]
    fn events_are_kept_for_ever_and_reports_for_thirty_days() {
        assert_eq!(wanted(Stream::Events, 3)["retention.ms"], "-1");
        assert_eq!(wanted(Stream::Events, 3)["cleanup.policy"], "delete");
        assert_eq!(wanted(Stream::Reports, 3)["retention.ms"], "2592000000");
        for compacted in Stream::ALL
            .into_iter()
            .filter(|stream| stream.is_compacted())
        {
            assert_eq!(wanted(compacted, 3)["cleanup.policy"], "compact");
        }
    }

    #[test]
    fn more_than_is_wanted_is_fine_and_less_is_not() {
        assert!(is_fine("retention.ms", "-1", "2592000000"));
        assert!(is_fine("retention.ms", "5184000000", "2592000000"));
        assert!(!is_fine("retention.ms", "604800000", "2592000000"));
        assert!(!is_fine("retention.ms", "604800000", "-1"));
        assert!(is_fine("min.insync.replicas", "3", "2"));
        assert!(!is_fine("min.insync.replicas", "1", "2"));
        assert!(!is_fine("cleanup.policy", "compact,delete", "compact"));
        assert!(!is_fine("retention.ms", "", "-1"));
    }
}
