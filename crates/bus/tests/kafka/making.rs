//! Making the topics.

use poolshift_bus::kafka::{Settings, topics};
use poolshift_bus::{Bus, Stream};
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::config::ClientConfig;

use crate::suite::place::Place as _;
use crate::topics::Topics;

/// Makes a topic as somebody else might have.
async fn make(settings: &Settings, topic: &str, partitions: i32, retention_ms: &str) {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", &settings.brokers);
    let admin: AdminClient<DefaultClientContext> = config.create().unwrap();
    let new = NewTopic::new(topic, partitions, TopicReplication::Fixed(1))
        .set("retention.ms", retention_ms);
    let made = admin
        .create_topics(&[new], &AdminOptions::new())
        .await
        .unwrap();
    made.into_iter().next().unwrap().unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn made_twice_nothing_is_wrong_and_nothing_is_made_again() {
    let settings = Topics::new().settings;
    let first = topics::create(&settings, 1).await.unwrap();
    assert_eq!(first.len(), Stream::ALL.len());
    assert!(
        first
            .iter()
            .all(|topic| topic.made && topic.wrong.is_empty()),
        "{first:?}"
    );
    let second = topics::create(&settings, 1).await.unwrap();
    assert!(
        second
            .iter()
            .all(|topic| !topic.made && topic.wrong.is_empty()),
        "{second:?}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_topic_that_was_made_otherwise_is_told_with_the_mend_and_left_alone() {
    let settings = Topics::new().settings;
    let name = format!("{}.events", settings.prefix);
    make(&settings, &name, 3, "604800000").await;
    let made = topics::create(&settings, 1).await.unwrap();
    let events = made.iter().find(|topic| topic.name == name).unwrap();
    assert!(!events.made);
    let wrong = events.wrong.join("\n");
    assert!(
        wrong.contains("has 3 partitions, it must have 6"),
        "{wrong}"
    );
    let mend = format!("--entity-name {name} --add-config retention.ms=-1");
    assert!(wrong.contains(&mend), "{wrong}");
    let opened = Bus::connect(&settings).await.unwrap_err().to_string();
    assert!(
        opened.contains("has 3 partitions, it must have 6"),
        "{opened}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_topics_a_log_is_not_opened_and_says_how_they_are_made() {
    let settings = Topics::new().settings;
    let opened = Bus::connect(&settings).await.unwrap_err().to_string();
    assert!(opened.contains("poolshift topics create"), "{opened}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn more_copies_than_brokers_are_refused() {
    let settings = Topics::new().settings;
    let refused = topics::create(&settings, 3).await.unwrap_err().to_string();
    assert!(refused.contains("with 3 replicas"), "{refused}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_there_is_told_in_time() {
    let mut settings = Settings::new("127.0.0.1:1");
    settings.answer_within_ms = 1_000;
    let opened = Bus::connect(&settings).await.unwrap_err().to_string();
    assert!(
        opened.contains("no answer from Kafka at 127.0.0.1:1"),
        "{opened}"
    );
}
