use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use serde::Deserialize;

use crate::{Error, Stream};

/// What may be passed on to librdkafka: how to reach the brokers and how to prove who we are. All
/// else is ours to set, because the bus's promises hang on it.
const PASSED_ON: [&str; 7] = [
    "security.",
    "ssl.",
    "sasl.",
    "enable.ssl.certificate.verification",
    "client.dns.lookup",
    "broker.address.family",
    "socket.connection.setup.timeout.ms",
];

/// The shortest that a consumer group may wait for a member, in milliseconds. Brokers have their
/// own least (`group.min.session.timeout.ms`, 6 s unless set).
const SESSION_MS_MIN: u64 = 1_000;

/// How the streams on Kafka are reached.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Addresses to begin with: `kafka1:9092,kafka2:9092`.
    pub brokers: String,
    /// The name of this process, unique in the cluster: what brokers log, and what a quota or an
    /// open connection is found by.
    #[serde(default = "instance")]
    pub instance: String,
    /// Properties of librdkafka for TLS and SASL, by their names there, such as
    /// `"security.protocol" = "SASL_SSL"`.
    #[serde(default)]
    pub librdkafka: BTreeMap<String, String>,
    /// A file that holds the password for SASL, so that it need not stand in the settings.
    #[serde(default)]
    pub sasl_password_file: Option<PathBuf>,
    /// How long a write may take until its outcome counts as unknown, in milliseconds. An owner
    /// that dies leaves readers standing still for at most so long, if nobody takes its partition.
    #[serde(default = "answer_within_ms")]
    pub answer_within_ms: u64,
    /// How long an orchestrator may be silent until its partitions go to another, in milliseconds.
    #[serde(default = "session_timeout_ms")]
    pub session_timeout_ms: u64,
    /// Whether `instance` stays the same over a restart (the name of a pod of a stateful set, or of
    /// a host): then an orchestrator that is back within the session has its partitions at once,
    /// and one that was stopped keeps them until the session is over.
    #[serde(default)]
    pub stable_instance: bool,
    /// What the names of all topics, groups and transactions begin with. Not read from files:
    /// only tests need several logs on one Kafka.
    #[serde(skip, default = "prefix")]
    pub prefix: String,
}

fn instance() -> String {
    "poolshift".to_owned()
}

fn prefix() -> String {
    "poolshift".to_owned()
}

fn answer_within_ms() -> u64 {
    10_000
}

fn session_timeout_ms() -> u64 {
    6_000
}

impl Settings {
    /// For brokers that ask for nothing, with everything else at its default.
    #[must_use]
    pub fn new(brokers: &str) -> Self {
        Self {
            brokers: brokers.to_owned(),
            instance: instance(),
            librdkafka: BTreeMap::new(),
            sasl_password_file: None,
            answer_within_ms: answer_within_ms(),
            session_timeout_ms: session_timeout_ms(),
            stable_instance: false,
            prefix: prefix(),
        }
    }

    /// The topic of a stream.
    pub(super) fn topic(&self, stream: Stream) -> String {
        let name = stream.name();
        let rest = name.strip_prefix("poolshift").unwrap_or(name);
        format!("{}{rest}", self.prefix)
    }

    /// # Errors
    /// [`Error::Settings`] names the setting and the mend.
    pub(super) fn check(&self) -> Result<(), Error> {
        let wrong = |detail: String| Err(Error::Settings { detail });
        if self.brokers.trim().is_empty() {
            return wrong("`brokers` is empty: name at least one as host:port".to_owned());
        }
        if self.session_timeout_ms < SESSION_MS_MIN {
            return wrong(format!(
                "`session_timeout_ms` is {}: give at least {SESSION_MS_MIN}",
                self.session_timeout_ms
            ));
        }
        if self.answer_within_ms < SESSION_MS_MIN {
            return wrong(format!(
                "`answer_within_ms` is {}: give at least {SESSION_MS_MIN}",
                self.answer_within_ms
            ));
        }
        let ours = self
            .librdkafka
            .keys()
            .find(|name| !PASSED_ON.iter().any(|passed| name.starts_with(passed)));
        if let Some(name) = ours {
            return wrong(format!(
                "`{name}` is set by Poolshift itself: take it out; what is passed on is {}",
                PASSED_ON.join(", ")
            ));
        }
        Ok(())
    }

    /// The password for SASL, if a file holds it.
    ///
    /// # Errors
    /// [`Error::Settings`] when the file cannot be read.
    pub(super) fn password(&self) -> Result<Option<String>, Error> {
        let Some(file) = &self.sasl_password_file else {
            return Ok(None);
        };
        match std::fs::read_to_string(file) {
            Ok(text) => Ok(Some(text.trim_end_matches(['\r', '\n']).to_owned())),
            Err(error) => Err(Error::Settings {
                detail: format!(
                    "`sasl_password_file` {} cannot be read ({error}): mend it, or name another",
                    file.display()
                ),
            }),
        }
    }
}

/// Values that are passed on may be secrets, so only their names are shown.
impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("brokers", &self.brokers)
            .field("instance", &self.instance)
            .field("librdkafka", &self.librdkafka.keys())
            .field("sasl_password_file", &self.sasl_password_file)
            .field("answer_within_ms", &self.answer_within_ms)
            .field("session_timeout_ms", &self.session_timeout_ms)
            .field("stable_instance", &self.stable_instance)
            .field("prefix", &self.prefix)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::Settings;
    use crate::Stream;

    fn with(name: &str, value: &str) -> Settings {
        let mut settings = Settings::new("127.0.0.1:9092");
        settings
            .librdkafka
            .insert(name.to_owned(), value.to_owned());
        settings
    }

    #[test]
    fn topics_are_named_as_their_streams() {
        let settings = Settings::new("127.0.0.1:9092");
        for stream in Stream::ALL {
            assert_eq!(settings.topic(stream), stream.name());
        }
    }

    #[test]
    fn what_the_promises_hang_on_cannot_be_passed_on() {
        with("sasl.username", "gateway").check().unwrap();
        for name in ["acks", "isolation.level", "enable.idempotence"] {
            let told = with(name, "0").check().unwrap_err().to_string();
            assert!(
                told.contains(&format!("`{name}` is set by Poolshift itself")),
                "{told}"
            );
        }
    }

    #[test]
    fn secrets_are_not_shown() {
        let shown = format!("{:?}", with("sasl.password", "hunter2"));
        assert!(shown.contains("sasl.password"), "{shown}");
        assert!(!shown.contains("hunter2"), "{shown}");
    }
}
