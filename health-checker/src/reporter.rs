//! Reports on their way into the log.

use std::time::Duration;

use bus::{Bus, Outgoing, Stream};
use events::{
    Actor, ActorKind, Answer, Command, Envelope, Report, ReportId, Source, Subject, Target,
};
use tokio::time::sleep;

use crate::time::now;

const PROCESS: &str = "health-checker";
const RETRY_FIRST: Duration = Duration::from_millis(100);
const RETRY_LAST: Duration = Duration::from_secs(5);

/// Says what was found.
#[derive(Clone)]
pub(crate) struct Reporter {
    pub(crate) bus: Bus,
    pub(crate) instance: String,
}

impl Reporter {
    /// Reports, and tries again with the same id until the report is durable. Whoever finds that
    /// the command counts no more drops this call.
    pub(crate) async fn say(&self, target: &Target, traceparent: Option<String>, answer: Answer) {
        let (partition, record) = self.record(target, traceparent, answer);
        let mut pause = RETRY_FIRST;
        while let Err(error) = self
            .bus
            .append(Stream::Reports, partition, vec![record.clone()])
            .await
        {
            if matches!(error, bus::Error::Closed) {
                return;
            }
            tracing::warn!(%target, %error, "report not durable yet, will try again");
            sleep(pause).await;
            pause = (pause * 2).min(RETRY_LAST);
        }
    }

    /// Reports what is old a moment later: once, or not at all.
    pub(crate) async fn try_say(&self, command: &Command, answer: Answer) {
        let target = &command.target;
        let (partition, record) = self.record(target, command.traceparent.clone(), answer);
        let said = self.bus.append(Stream::Reports, partition, vec![record]);
        if let Err(error) = said.await {
            tracing::warn!(%target, %error, "how a watch stands is not reported");
        }
    }

    fn record(
        &self,
        target: &Target,
        traceparent: Option<String>,
        answer: Answer,
    ) -> (u32, Outgoing) {
        let report: Report = answer.into();
        let mut envelope = Envelope::of_report(
            ReportId::new(uuid::Uuid::now_v7()),
            &report,
            Subject::Target(target.clone()),
            now(),
            Source {
                process: PROCESS.to_owned(),
                instance: self.instance.clone(),
                version: env!("CARGO_PKG_VERSION").to_owned(),
            },
            Actor {
                kind: ActorKind::Process,
                id: format!("{PROCESS}/{}", self.instance),
            },
        );
        envelope.traceparent = traceparent;
        let partition = events::partition_of(&envelope.subject);
        let record = Outgoing {
            key: envelope.subject.to_string(),
            headers: envelope.to_headers(),
            value: report.to_bytes(),
        };
        (partition, record)
    }
}
