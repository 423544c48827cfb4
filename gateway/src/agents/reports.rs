//! `POST /agents/v1/reports`: what an agent says, about its own machine only.

use actix_web::http::StatusCode;
use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use events::{
    Actor, ActorKind, AgentSeen, Answer, CommandId, MachineName, Report, ReportBatch,
    ReportOutcome, ServerName, Source, Subject, Target, WireReport,
};

use crate::agents::agent;
use crate::app::{App, Submission, bytes_allowed};
use crate::body;
use crate::problem::Problem;

/// The largest request, in bytes.
const BODY_BYTES_MAX: usize = 1024 * 1024;

/// The most reports in one request.
const REPORTS_MAX: usize = 100;

/// The longest trace context, in bytes (W3C: 55).
const TRACE_BYTES_MAX: usize = 64;

pub(super) async fn take(
    app: Data<App>,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, Problem> {
    let (machine, _) = agent(&app, &request)?;
    app.board.ready()?;
    let batch: ReportBatch = body::json(payload, BODY_BYTES_MAX).await?;
    if batch.reports.len() > REPORTS_MAX {
        return Err(Problem::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "too-large",
            "too many reports at once",
            format!("at most {REPORTS_MAX} are taken at once"),
        ));
    }
    let version = agent_version(&request);
    let mut outcomes = Vec::with_capacity(batch.reports.len());
    // In the order they happened, each durable before the next; after an error all of them come
    // again, and those that stood get in twice with the same id, which counts once.
    for wire in batch.reports {
        let id = wire.id;
        let why = match admit(&app, &machine, &wire) {
            Ok(report) => {
                let submission = submission(&machine, &version, wire, report);
                app.submit(submission).await?;
                None
            }
            Err(why) => {
                tracing::warn!(%machine, report = %id, why, "report refused");
                Some(why)
            }
        };
        outcomes.push(ReportOutcome {
            id,
            taken: why.is_none(),
            why,
        });
    }
    Ok(HttpResponse::Ok().json(outcomes))
}

fn submission(
    machine: &MachineName,
    version: &str,
    wire: WireReport,
    report: Report,
) -> Submission {
    Submission {
        id: wire.id,
        report,
        subject: Subject::Target(wire.target),
        reported_at: wire.reported_at,
        source: Source {
            process: "agent".to_owned(),
            instance: machine.to_string(),
            version: version.to_owned(),
        },
        actor: Actor {
            kind: ActorKind::Agent,
            id: machine.to_string(),
        },
        rollout: None,
        traceparent: wire
            .traceparent
            .filter(|trace| trace.len() <= TRACE_BYTES_MAX),
    }
}

/// The report inside, if an agent may say it and it is about its machine.
fn admit(app: &App, machine: &MachineName, wire: &WireReport) -> Result<Report, String> {
    let report = wire.report().map_err(|error| error.to_string())?;
    let (bytes, most) = (report.to_bytes().len(), bytes_allowed(&report));
    if bytes > most {
        let kind = report.kind();
        return Err(format!(
            "{kind} has {bytes} bytes, at most {most} are taken"
        ));
    }
    let Report::Answer(answer) = &report else {
        return Err("an agent answers, it does not ask".to_owned());
    };
    match answer {
        Answer::CommandStarted(_)
        | Answer::CommandQueued(_)
        | Answer::OwnDone(_)
        | Answer::OwnFailed(_)
        | Answer::CommandRefused(_)
        | Answer::Fetched(_)
        | Answer::FetchFailed(_)
        | Answer::Installed(_)
        | Answer::InstallFailed(_)
        | Answer::TestsPassed(_)
        | Answer::TestsFailed(_) => {
            let server = answer.command().map(|command: &CommandId| &command.server);
            server.map_or(Ok(()), |server| {
                on_machine(app, machine, &wire.target, server)
            })?;
        }
        Answer::AgentSeen(seen) => about_itself(app, machine, &wire.target, seen)?,
        Answer::Drained(_)
        | Answer::DrainRefused(_)
        | Answer::DrainFailed(_)
        | Answer::Held(_)
        | Answer::Healthy(_)
        | Answer::Unhealthy(_)
        | Answer::Watching(_)
        | Answer::Steady(_)
        | Answer::Regressed(_)
        | Answer::WatchFailed(_)
        | Answer::Restored(_)
        | Answer::RestoreFailed(_)
        | Answer::Strayed(_)
        | Answer::HoldBroken(_)
        | Answer::DriftSeen(_)
        | Answer::PoolSeen(_) => {
            return Err(format!("{} is not an agent's to say", report.kind()));
        }
    }
    Ok(report)
}

fn about_itself(
    app: &App,
    machine: &MachineName,
    target: &Target,
    seen: &AgentSeen,
) -> Result<(), String> {
    if seen.machine != *machine {
        return Err(format!(
            "this is {machine}, the report is about {}",
            seen.machine
        ));
    }
    seen.servers
        .iter()
        .try_for_each(|one| on_machine(app, machine, target, &one.server))
}

/// By the commands that it was given; a server that never had one is known from the view.
fn on_machine(
    app: &App,
    machine: &MachineName,
    target: &Target,
    server: &ServerName,
) -> Result<(), String> {
    let commanded = app.board.has(machine, &format!("{target}/{server}"));
    let listed = || {
        app.view.target(target).is_some_and(|kept| {
            let mut servers = kept.document.servers.iter();
            servers.any(|one| one.name == *server && one.machine == *machine)
        })
    };
    if commanded || listed() {
        Ok(())
    } else {
        Err(format!("{target}/{server} is not on {machine}"))
    }
}

/// The version that an agent says it is, in its `User-Agent`: `poolshift-agent/0.2.0`.
pub(super) fn agent_version(request: &HttpRequest) -> String {
    let agent = request.headers().get("user-agent");
    let version = agent
        .and_then(|value| value.to_str().ok())
        .and_then(|text| text.strip_prefix("poolshift-agent/"))
        .unwrap_or("unknown");
    events::cut(version, 32)
}
