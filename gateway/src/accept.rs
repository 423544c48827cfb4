//! Accepting a rollout: once for each key, and only when its request is durable.

use actix_web::http::StatusCode;
use bus::{Position, Stream};
use events::{
    Actor, Envelope, PARTITIONS, Report, RequestRollout, RolloutRef, Subject, Target, Timestamp,
};
use tokio::time::{Duration, sleep};
use view::{Claimed, RolloutView};

use crate::app::{App, report_id};
use crate::problem::Problem;

const PAUSE: Duration = Duration::from_secs(1);

/// Makes a request durable. The same key with the same content is the same rollout, however often
/// it comes; with other content it is refused.
pub(crate) async fn accept(
    app: &App,
    target: &Target,
    request: RequestRollout,
    actor: Actor,
) -> Result<(), Problem> {
    let (id, content) = (request.rollout, request.content());
    if let Some(known) = app.view.rollout(id) {
        return if known.document.content == content {
            Ok(())
        } else {
            Err(key_reused(&request.key))
        };
    }
    if let Some(why) = stands_still(app, target) {
        return Err(why);
    }
    let claimed = app.view.claim(id, content, app.now());
    if claimed == Claimed::Other {
        return Err(key_reused(&request.key));
    }
    let accepted = accepted(target, &request, app.now());
    let key = request.key.clone();
    let door = format!("{target}\n{}\n{content}", request.sender);
    let mut submission = app.own(
        report_id(&door, Some(&key)),
        request.into(),
        Subject::Target(target.clone()),
        actor,
    );
    submission.rollout = Some(RolloutRef::Rollout(id));
    let appended = app.submit(submission).await;
    if appended.is_err() && claimed == Claimed::New {
        app.view.release(id);
    }
    appended?;
    app.view.accept(accepted);
    Ok(())
}

/// Notes every request that is durable and that no orchestrator has consumed, from the log itself:
/// so an id that was accepted is known after a restart, and on every other instance. Ends when the
/// bus is closed.
pub(crate) async fn follow(app: &App) {
    loop {
        match follow_once(app).await {
            Ok(()) | Err(bus::Error::Closed) => return,
            Err(error) => {
                tracing::warn!(%error, "cannot follow the reports, will try again");
                sleep(PAUSE).await;
            }
        }
    }
}

async fn follow_once(app: &App) -> Result<(), bus::Error> {
    let mut consumed = std::collections::BTreeMap::new();
    for partition in 0..PARTITIONS {
        if let Some(offset) = app.bus.consumed(partition).await? {
            consumed.insert(partition, offset);
        }
    }
    let partitions: Vec<u32> = (0..PARTITIONS).collect();
    let from = Position::After(consumed);
    let mut reports = app.bus.follow(Stream::Reports, &partitions, &from)?;
    note(app, &reports.catch_up().await?);
    app.set_caught_up();
    loop {
        note(
            app,
            &reports.next_batch(256, Duration::from_secs(60)).await?,
        );
    }
}

/// What cannot be read is not for the gateway to judge.
fn note(app: &App, records: &[bus::Record]) {
    for record in records {
        let Ok(envelope) = Envelope::from_headers(&record.headers) else {
            continue;
        };
        if envelope.kind != "poolshift.ask.rollout" {
            continue;
        }
        let read = Report::from_bytes(&envelope.kind, envelope.version, &record.value);
        if let (Ok(Report::Ask(events::Ask::RequestRollout(request))), Subject::Target(target)) =
            (read, envelope.subject)
        {
            app.view
                .accept(accepted(&target, &request, envelope.reported_at));
        }
    }
}

fn accepted(target: &Target, request: &RequestRollout, at: Timestamp) -> RolloutView {
    RolloutView::accepted(
        request.rollout,
        target.clone(),
        request.version.clone(),
        request.artifact.sha256,
        request.content(),
        request.requested_by.clone(),
        at,
    )
}

/// A target for which nothing is decided takes no request that would wait for ever.
fn stands_still(app: &App, target: &Target) -> Option<Problem> {
    let kept = app.view.target(target)?;
    let why = kept.document.stands_still.clone()?;
    let problem = Problem::new(
        StatusCode::CONFLICT,
        "stands-still",
        "the target stands still",
        why,
    );
    Some(
        problem.mend("mend that first, then send the same request again; docs/runbook.md says how"),
    )
}

fn key_reused(key: &str) -> Problem {
    Problem::new(
        StatusCode::UNPROCESSABLE_ENTITY,
        "key-reused",
        "the key stands for another request",
        format!("key `{key}` was used for another version or artifact of this target"),
    )
    .mend("use a new key for a new request, and the same content for a repeated one")
}
