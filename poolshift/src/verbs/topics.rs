//! `poolshift topics create`: the streams as topics of Kafka.

use std::path::{Path, PathBuf};

use bus::kafka::{Settings, topics};
use clap::{Args, Subcommand};
use serde::{Deserialize, Serialize};

use crate::exit;
use crate::said::Said;

/// `topics`.
#[derive(Debug, Subcommand)]
pub(crate) enum Topics {
    /// Make the topics that are missing, and look at those that are there. May be done again at any
    /// time: nothing that is there is changed. Exits 1 when one is not as it must be, with the mend.
    Create(Create),
}

/// Where, and how.
#[derive(Debug, Args)]
pub(crate) struct Create {
    /// Addresses of brokers that ask nobody who they are: kafka1:9092,kafka2:9092.
    #[arg(long, value_name = "HOST:PORT,..", required_unless_present = "config")]
    brokers: Option<String>,
    /// A file with a table `[kafka]`, such as the settings of a process of ours (docs/kafka.md).
    #[arg(long, value_name = "FILE", conflicts_with = "brokers")]
    config: Option<PathBuf>,
    /// How many brokers hold a copy of each record. With 3, one may be lost at any moment.
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=100))]
    replication_factor: u32,
}

/// A file of settings, of which only one table matters here.
#[derive(Deserialize)]
struct File {
    kafka: Settings,
}

#[derive(Serialize)]
struct Told<'a> {
    topic: &'a str,
    made: bool,
    wrong: &'a [String],
}

/// Makes them, and tells how each is.
pub(crate) async fn create(asked: &Create, json: bool) -> anyhow::Result<Said> {
    let settings = settings(asked.brokers.as_deref(), asked.config.as_deref())?;
    let topics = topics::create(&settings, asked.replication_factor).await?;
    let told: Vec<Told<'_>> = topics
        .iter()
        .map(|topic| Told {
            topic: &topic.name,
            made: topic.made,
            wrong: &topic.wrong,
        })
        .collect();
    let mut said = Said::either(json, &told, || text(&told))?;
    if told.iter().any(|topic| !topic.wrong.is_empty()) {
        said.code = exit::REFUSED;
    }
    Ok(said)
}

fn settings(brokers: Option<&str>, config: Option<&Path>) -> anyhow::Result<Settings> {
    match brokers {
        Some(brokers) => Ok(Settings::new(brokers)),
        None => Ok(boot::settings::<File>(config)?.kafka),
    }
}

fn text(topics: &[Told<'_>]) -> String {
    let mut lines = Vec::new();
    for topic in topics {
        let how = match (topic.made, topic.wrong.is_empty()) {
            (true, _) => "made",
            (false, true) => "as it must be",
            (false, false) => "NOT as it must be",
        };
        lines.push(format!("{:<20} {how}", topic.topic));
        lines.extend(topic.wrong.iter().map(|wrong| format!("  {wrong}")));
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::{Told, settings, text};

    #[test]
    fn what_is_wrong_stands_under_its_topic() {
        let wrong = ["retention.ms is \"1\": set it to -1".to_owned()];
        let told = |topic, made, wrong| Told { topic, made, wrong };
        let topics = [
            told("poolshift.reports", true, &[]),
            told("poolshift.events", false, &wrong),
            told("poolshift.commands", false, &[]),
        ];
        assert_eq!(
            text(&topics),
            "poolshift.reports    made\n\
             poolshift.events     NOT as it must be\n\
             \u{20}\u{20}retention.ms is \"1\": set it to -1\n\
             poolshift.commands   as it must be"
        );
    }

    #[test]
    fn the_table_of_kafka_is_read_from_any_file_of_settings() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let table = "instance = \"7\"\n[kafka]\nbrokers = \"kafka:9092\"\n\
                     [kafka.librdkafka]\n\"security.protocol\" = \"SASL_SSL\"\n";
        std::fs::write(file.path(), table).unwrap();
        let read = settings(None, Some(file.path())).unwrap();
        assert_eq!(read.brokers, "kafka:9092");
        assert_eq!(read.librdkafka["security.protocol"], "SASL_SSL");
        std::fs::write(file.path(), "[kafka]\nbroker = \"kafka:9092\"\n").unwrap();
        let told = settings(None, Some(file.path())).unwrap_err().to_string();
        assert!(told.contains("broker"), "{told}");
    }
}
