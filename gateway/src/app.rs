//! What all handlers share.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use actix_web::http::StatusCode;
use bus::{Bus, Outgoing, Stream};
use events::{
    Actor, ActorKind, Envelope, Report, ReportId, RolloutRef, Source, Subject, Timestamp,
    bytes_max, partition_of,
};
use tokio::sync::watch;
use tokio::time::timeout;
use uuid::Uuid;
use view::View;

use crate::agents::{Board, Codes, Looks, Tokens};
use crate::metrics::Metrics;
use crate::people::{People, Person};
use crate::places::Places;
use crate::problem::Problem;
use crate::refusals::Refusals;
use crate::settings::Settings;
use crate::time::Clock;
use crate::webhook::Secrets;

const PROCESS: &str = "gateway";

/// The longest that a report may take to become durable.
const DURABLE_WITHIN: Duration = Duration::from_secs(10);

/// What the owner adds to what was asked for, at most, when it makes an event of it: who, digests,
/// roles. In bytes.
const ADDED_BYTES_MAX: usize = 1024;

/// Shared by all handlers of both listeners.
pub(crate) struct App {
    pub(crate) bus: Bus,
    pub(crate) view: View,
    pub(crate) people: People,
    /// Of `/webhooks/jenkins`.
    pub(crate) secrets: Secrets,
    /// Of `/webhooks/jenkins-notification`, which proves less.
    pub(crate) notification_secrets: Secrets,
    pub(crate) tokens: Tokens,
    pub(crate) codes: Codes,
    pub(crate) board: Board,
    pub(crate) places: Places,
    pub(crate) looks: Looks,
    pub(crate) refusals: Refusals,
    pub(crate) metrics: Metrics,
    /// The API's address for links in answers, without a slash at its end.
    pub(crate) url: String,
    /// True when this process ends: open polls answer then.
    pub(crate) ending: watch::Receiver<bool>,
    clock: Clock,
    instance: String,
    caught_up: AtomicBool,
}

/// A report on its way into the log.
pub(crate) struct Submission {
    pub(crate) id: ReportId,
    pub(crate) report: Report,
    pub(crate) subject: Subject,
    pub(crate) reported_at: Timestamp,
    pub(crate) source: Source,
    pub(crate) actor: Actor,
    pub(crate) rollout: Option<RolloutRef>,
    pub(crate) traceparent: Option<String>,
}

impl App {
    pub(crate) fn new(
        settings: &Settings,
        url: String,
        bus: Bus,
        view: View,
        ending: watch::Receiver<bool>,
    ) -> anyhow::Result<Self> {
        Ok(Self {
            bus,
            view,
            people: People::load(settings.people.as_deref())?,
            secrets: Secrets::load("webhook_secrets", &settings.webhook_secrets)?,
            notification_secrets: Secrets::load_tokens(
                "notification_secrets",
                &settings.notification_secrets,
            )?,
            tokens: Tokens::load(&settings.key)?,
            codes: Codes::default(),
            board: Board::default(),
            places: Places::default(),
            looks: Looks::default(),
            refusals: Refusals::default(),
            metrics: Metrics::new()?,
            url,
            ending,
            clock: settings.clock.clone(),
            instance: settings.instance.clone(),
            caught_up: AtomicBool::new(false),
        })
    }

    /// What time it is.
    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Whether this instance can say what exists and what does not.
    pub(crate) fn ready(&self) -> Result<(), Problem> {
        if !self.view.is_complete() {
            return Err(Problem::not_ready("the events"));
        }
        if !self.caught_up.load(Ordering::Acquire) {
            return Err(Problem::not_ready("the accepted requests"));
        }
        if !self.refusals.is_ready() {
            return Err(Problem::not_ready("what was refused"));
        }
        self.board.ready()
    }

    /// Says that every request that was accepted before is in the view.
    pub(crate) fn set_caught_up(&self) {
        self.caught_up.store(true, Ordering::Release);
    }

    /// A report of this gateway itself, for somebody who asked over HTTP.
    pub(crate) fn own(
        &self,
        id: ReportId,
        report: Report,
        subject: Subject,
        actor: Actor,
    ) -> Submission {
        Submission {
            id,
            report,
            subject,
            reported_at: self.now(),
            source: Source {
                process: PROCESS.to_owned(),
                instance: self.instance.clone(),
                version: env!("CARGO_PKG_VERSION").to_owned(),
            },
            actor,
            rollout: None,
            traceparent: None,
        }
    }

    /// Appends a report; it is durable when this returns `Ok`. After an error nobody knows: so
    /// whoever asks again uses the same id or key.
    pub(crate) async fn submit(&self, submission: Submission) -> Result<(), Problem> {
        let mut envelope = Envelope::of_report(
            submission.id,
            &submission.report,
            submission.subject,
            submission.reported_at,
            submission.source,
            submission.actor,
        );
        envelope.rollout = envelope.rollout.or(submission.rollout);
        envelope.traceparent = submission.traceparent;
        let record = Outgoing {
            key: envelope.subject.to_string(),
            headers: envelope.to_headers(),
            value: submission.report.to_bytes(),
        };
        let most = bytes_allowed(&submission.report);
        if record.value.len() > most {
            return Err(too_large(&envelope.kind, record.value.len(), most));
        }
        let partition = partition_of(&envelope.subject);
        let appended = self.bus.append(Stream::Reports, partition, vec![record]);
        let error = match timeout(DURABLE_WITHIN, appended).await {
            Ok(Ok(_)) => return Ok(()),
            Ok(Err(error)) => error.to_string(),
            Err(_) => format!("no answer within {} s", DURABLE_WITHIN.as_secs()),
        };
        self.metrics.append_failures.inc();
        tracing::error!(subject = %envelope.subject, kind = envelope.kind, error, "report not durable");
        Err(Problem::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "not-durable",
            "could not be stored",
            "nobody knows whether the request is durable, so it is not accepted",
        )
        .mend("send the same request again, with the same key")
        .retry_after(5))
    }

    /// The person that a request names, by id or by name.
    pub(crate) fn person(&self, field: &str, named: &str) -> Result<&Person, Problem> {
        self.people.find(named).ok_or_else(|| {
            Problem::new(
                StatusCode::FORBIDDEN,
                "unknown-person",
                "nobody is known by this",
                format!("`{named}` is neither the id nor the name of anybody"),
            )
            .field(field)
            .mend("add the person to the people file, then start again")
        })
    }

    /// Who is behind a request to the API: the person it names, or just the command line.
    pub(crate) fn actor(&self, person: Option<&str>) -> Result<Actor, Problem> {
        Ok(match person {
            Some(named) => Actor {
                kind: ActorKind::Person,
                id: self.person("person", named)?.id.to_string(),
            },
            None => Actor {
                kind: ActorKind::Process,
                id: "cli".to_owned(),
            },
        })
    }
}

/// The most bytes that a report may have, so that the event that it becomes keeps the contract's
/// bound.
pub(crate) fn bytes_allowed(report: &Report) -> usize {
    let most = bytes_max(report.kind());
    match report {
        Report::Ask(_) => most - ADDED_BYTES_MAX,
        Report::Answer(_) => most,
    }
}

fn too_large(kind: &str, bytes: usize, most: usize) -> Problem {
    Problem::new(
        StatusCode::PAYLOAD_TOO_LARGE,
        "too-large",
        "the record would be too large",
        format!("as `{kind}` it would have {bytes} bytes in the log, at most {most} are taken"),
    )
    .mend("shorten the longest text in it")
}

/// A new id; or, for a request that brings a key, always the same one for the same key.
pub(crate) fn report_id(door: &str, key: Option<&str>) -> ReportId {
    let id = key.map_or_else(Uuid::now_v7, |key| {
        Uuid::new_v5(
            &Uuid::NAMESPACE_URL,
            format!("poolshift\n{door}\n{key}").as_bytes(),
        )
    });
    ReportId::new(id)
}
