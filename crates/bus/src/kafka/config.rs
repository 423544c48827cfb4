//! What each kind of client tells librdkafka. Where a value was measured, it was on Kafka 4.4.0
//! with librdkafka 2.12.1.

use std::time::Duration;

use rdkafka::config::ClientConfig;

use super::settings::Settings;
use crate::Error;

/// How long a broker may hold a fetch that has nothing to give. A partition that is read from now
/// on joins only the next fetch, so this is the grain of every read.
const FETCH_WAIT_MS: u64 = 50;

/// The largest record with what librdkafka and the brokers put around it. Topics are made to take
/// as much: [`super::topics`].
pub(super) const MESSAGE_BYTES_MAX: u64 = 1_048_588;

impl Settings {
    /// How long a write may take until its outcome is unknown.
    pub(super) fn answer_within(&self) -> Duration {
        Duration::from_millis(self.answer_within_ms)
    }

    /// The group of the orchestrators, which shares the partitions out.
    pub(super) fn group(&self) -> String {
        format!("{}-orchestrators", self.prefix)
    }

    /// Whoever names it takes the partition from its former owner.
    pub(super) fn transactional_id(&self, partition: u32) -> String {
        format!("{}-orchestrator-{partition}", self.prefix)
    }

    /// For questions alone.
    pub(super) fn admin(&self) -> Result<ClientConfig, Error> {
        let mut config = ClientConfig::new();
        config
            .set("bootstrap.servers", &self.brokers)
            .set("client.id", &self.instance)
            .set("socket.keepalive.enable", "true")
            // Brokers that restart are found soon.
            .set("reconnect.backoff.ms", "50")
            .set("reconnect.backoff.max.ms", "1000")
            .set("allow.auto.create.topics", "false");
        for (name, value) in &self.librdkafka {
            config.set(name, value);
        }
        if let Some(password) = self.password()? {
            config.set("sasl.password", password);
        }
        Ok(config)
    }

    /// Appends for anyone.
    pub(super) fn appender(&self) -> Result<ClientConfig, Error> {
        let mut config = self.admin()?;
        config
            .set("enable.idempotence", "true")
            .set("acks", "all")
            .set("linger.ms", "0")
            .set("message.max.bytes", MESSAGE_BYTES_MAX.to_string())
            .set("message.timeout.ms", self.answer_within_ms.to_string())
            .set("retry.backoff.ms", "10")
            .set("retry.backoff.max.ms", "200");
        Ok(config)
    }

    /// Commits for the owner of a partition.
    pub(super) fn owner(&self, partition: u32) -> Result<ClientConfig, Error> {
        let mut config = self.appender()?;
        config
            .set("transactional.id", self.transactional_id(partition))
            .set("transaction.timeout.ms", self.answer_within_ms.to_string());
        Ok(config)
    }

    /// Reads at offsets that we keep ourselves. The group is never joined and nothing is committed
    /// to it: without its name rdkafka does not serve the consumer's queue.
    pub(super) fn reader(&self) -> Result<ClientConfig, Error> {
        let mut config = self.admin()?;
        config
            .set("group.id", format!("{}-readers", self.prefix))
            .set("enable.auto.commit", "false")
            .set("enable.auto.offset.store", "false")
            .set("isolation.level", "read_committed")
            // A lost offset must stop us, never skip.
            .set("auto.offset.reset", "error")
            .set("enable.partition.eof", "true")
            .set("check.crcs", "true")
            .set("fetch.wait.max.ms", FETCH_WAIT_MS.to_string())
            .set("fetch.error.backoff.ms", "50");
        Ok(config)
    }

    /// A member of the group that shares the partitions out; it reads nothing.
    pub(super) fn member(&self, instance: &str) -> Result<ClientConfig, Error> {
        let mut config = self.admin()?;
        let heartbeat = (self.session_timeout_ms / 6).clamp(100, 1_000);
        config
            .set("client.id", instance)
            .set("group.id", self.group())
            .set("enable.auto.commit", "false")
            .set("enable.auto.offset.store", "false")
            // Assigned partitions are paused, so no offset is ever looked for.
            .set("auto.offset.reset", "latest")
            .set("partition.assignment.strategy", "range")
            .set("session.timeout.ms", self.session_timeout_ms.to_string())
            .set("heartbeat.interval.ms", heartbeat.to_string())
            .set(
                "max.poll.interval.ms",
                self.session_timeout_ms.max(60_000).to_string(),
            );
        if self.stable_instance {
            config.set("group.instance.id", instance);
        }
        Ok(config)
    }
}

#[cfg(test)]
mod tests {
    use super::Settings;
    use rdkafka::config::ClientConfig;

    /// What librdkafka made of it, defaults included.
    fn effective(config: &ClientConfig, names: &[&str]) -> Vec<String> {
        let native = config.create_native_config().unwrap();
        names
            .iter()
            .map(|name| format!("{name}={}", native.get(name).unwrap()))
            .collect()
    }

    #[test]
    fn an_append_is_on_all_replicas_once_and_in_order_or_its_outcome_is_unknown_in_time() {
        let config = Settings::new("kafka:9092").appender().unwrap();
        let names = [
            "enable.idempotence",
            "acks",
            "max.in.flight",
            "linger.ms",
            "message.timeout.ms",
            "message.max.bytes",
            "allow.auto.create.topics",
            "enable.gapless.guarantee",
            "socket.keepalive.enable",
            "reconnect.backoff.max.ms",
        ];
        assert_eq!(
            effective(&config, &names),
            [
                "enable.idempotence=true",
                "acks=-1",
                "max.in.flight=1000000",
                "linger.ms=0",
                "message.timeout.ms=10000",
                "message.max.bytes=1048588",
                "allow.auto.create.topics=false",
                "enable.gapless.guarantee=false",
                "socket.keepalive.enable=true",
                "reconnect.backoff.max.ms=1000",
            ]
        );
    }

    #[test]
    fn an_owner_commits_under_the_id_of_its_partition() {
        let config = Settings::new("kafka:9092").owner(3).unwrap();
        let names = [
            "transactional.id",
            "transaction.timeout.ms",
            "message.timeout.ms",
            "enable.idempotence",
            "acks",
        ];
        assert_eq!(
            effective(&config, &names),
            [
                "transactional.id=poolshift-orchestrator-3",
                "transaction.timeout.ms=10000",
                "message.timeout.ms=10000",
                "enable.idempotence=true",
                "acks=-1",
            ]
        );
    }

    #[test]
    fn a_reader_sees_what_is_committed_and_commits_nothing() {
        let config = Settings::new("kafka:9092").reader().unwrap();
        let names = [
            "isolation.level",
            "enable.auto.commit",
            "enable.auto.offset.store",
            "auto.offset.reset",
            "enable.partition.eof",
            "fetch.wait.max.ms",
            "check.crcs",
        ];
        assert_eq!(
            effective(&config, &names),
            [
                "isolation.level=read_committed",
                "enable.auto.commit=false",
                "enable.auto.offset.store=false",
                "auto.offset.reset=error",
                "enable.partition.eof=true",
                "fetch.wait.max.ms=50",
                "check.crcs=true",
            ]
        );
    }

    #[test]
    fn a_member_beats_often_enough_for_its_session() {
        let mut settings = Settings::new("kafka:9092");
        settings.session_timeout_ms = 3_000;
        settings.stable_instance = true;
        let config = settings.member("orchestrator-1").unwrap();
        let names = [
            "group.id",
            "group.instance.id",
            "session.timeout.ms",
            "heartbeat.interval.ms",
            "partition.assignment.strategy",
            "enable.auto.commit",
        ];
        assert_eq!(
            effective(&config, &names),
            [
                "group.id=poolshift-orchestrators",
                "group.instance.id=orchestrator-1",
                "session.timeout.ms=3000",
                "heartbeat.interval.ms=500",
                "partition.assignment.strategy=range",
                "enable.auto.commit=false",
            ]
        );
    }

    #[test]
    fn tls_and_sasl_are_built_in_and_passed_on() {
        let mut settings = Settings::new("kafka:9093");
        let passed = [
            ("security.protocol", "sasl_ssl"),
            ("sasl.mechanism", "SCRAM-SHA-512"),
            ("sasl.username", "orchestrator"),
        ];
        for (name, value) in passed {
            settings
                .librdkafka
                .insert(name.to_owned(), value.to_owned());
        }
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "secret\n").unwrap();
        settings.sasl_password_file = Some(file.path().to_owned());
        let config = settings.owner(0).unwrap();
        let names = [
            "security.protocol",
            "sasl.mechanism",
            "sasl.username",
            "sasl.password",
        ];
        assert_eq!(
            effective(&config, &names),
            [
                "security.protocol=sasl_ssl",
                "sasl.mechanism=SCRAM-SHA-512",
                "sasl.username=orchestrator",
                "sasl.password=secret",
            ]
        );
        let built_in = effective(&ClientConfig::new(), &["builtin.features"]).remove(0);
        for feature in ["ssl", "sasl_plain", "sasl_scram", "sasl_oauthbearer"] {
            assert!(built_in.contains(feature), "{built_in}");
        }
    }
}
