//! What `/metrics` shows.

use anyhow::Context as _;
use prometheus::{Encoder as _, IntCounter, IntCounterVec, IntGauge, Opts, Registry, TextEncoder};

/// Counters of this instance.
#[derive(Debug)]
pub(crate) struct Metrics {
    registry: Registry,
    /// Requests, by route and status.
    pub(crate) requests: IntCounterVec,
    /// Webhooks, by what they were answered.
    pub(crate) webhooks: IntCounterVec,
    /// Deliveries of build servers, by what became of them: `accepted`, `ignored`, or why not.
    pub(crate) deliveries: IntCounterVec,
    /// Agents that were there in the last 90 seconds.
    pub(crate) agents: IntGauge,
    /// Polls that wait for a change.
    long_polls: IntGauge,
    /// Events read from the log for histories.
    pub(crate) history_reads: IntCounter,
    /// Reports that could not be made durable.
    pub(crate) append_failures: IntCounter,
    /// What the log takes on its disk.
    pub(crate) log_bytes: IntGauge,
    /// What that disk has left.
    pub(crate) log_free_bytes: IntGauge,
}

impl Metrics {
    /// All zero.
    ///
    /// # Errors
    /// When a name is taken, which a test would see.
    pub(crate) fn new() -> anyhow::Result<Self> {
        let all = || -> prometheus::Result<Self> {
            let registry = Registry::new();
            let requests = IntCounterVec::new(
                Opts::new("poolshift_http_requests_total", "requests answered"),
                &["route", "method", "status"],
            )?;
            let webhooks = IntCounterVec::new(
                Opts::new("poolshift_webhooks_total", "webhooks by their answer"),
                &["sender", "status"],
            )?;
            let deliveries = IntCounterVec::new(
                Opts::new(
                    "poolshift_webhook_outcomes_total",
                    "webhooks accepted, ignored, or refused for a reason",
                ),
                &["sender", "outcome"],
            )?;
            let agents = IntGauge::new(
                "poolshift_agents_connected",
                "agents seen in the last 90 seconds",
            )?;
            let long_polls = IntGauge::new(
                "poolshift_gateway_long_polls_open",
                "requests that wait for a change",
            )?;
            let history_reads = IntCounter::new(
                "poolshift_gateway_history_reads_total",
                "events read from the log for histories",
            )?;
            let append_failures = IntCounter::new(
                "poolshift_append_failures_total",
                "reports that could not be made durable",
            )?;
            let log_bytes = IntGauge::new("poolshift_log_bytes", "what the log takes on its disk")?;
            let log_free_bytes =
                IntGauge::new("poolshift_log_free_bytes", "what the log's disk has left")?;
            registry.register(Box::new(log_bytes.clone()))?;
            registry.register(Box::new(log_free_bytes.clone()))?;
            registry.register(Box::new(requests.clone()))?;
            registry.register(Box::new(webhooks.clone()))?;
            registry.register(Box::new(deliveries.clone()))?;
            registry.register(Box::new(agents.clone()))?;
            registry.register(Box::new(long_polls.clone()))?;
            registry.register(Box::new(history_reads.clone()))?;
            registry.register(Box::new(append_failures.clone()))?;
            Ok(Self {
                registry,
                requests,
                webhooks,
                deliveries,
                agents,
                long_polls,
                history_reads,
                append_failures,
                log_bytes,
                log_free_bytes,
            })
        };
        all().context("metrics cannot be made")
    }

    /// Counts a poll as open until what is given is dropped.
    pub(crate) fn open_poll(&self) -> OpenPoll {
        self.long_polls.inc();
        OpenPoll(self.long_polls.clone())
    }

    /// In Prometheus' text format.
    pub(crate) fn text(&self) -> Vec<u8> {
        let mut text = Vec::new();
        if let Err(error) = TextEncoder::new().encode(&self.registry.gather(), &mut text) {
            tracing::error!(%error, "metrics cannot be written");
        }
        text
    }
}

/// A poll that waits.
#[derive(Debug)]
pub(crate) struct OpenPoll(IntGauge);

impl Drop for OpenPoll {
    fn drop(&mut self) {
        self.0.dec();
    }
}
