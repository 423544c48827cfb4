//! `POST /webhooks/jenkins`: what the HTTP Request step of a Jenkins pipeline sends.

use actix_web::http::StatusCode;
use actix_web::http::header::AUTHORIZATION;
use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use events::{Actor, ActorKind, RequestRollout, RolloutId, Target, Trust};

use crate::app::App;
use crate::body::{self, BYTES_MAX};
use crate::people::People;
use crate::problem::Problem;
use crate::webhook::asked::Asked;
use crate::webhook::foreign::{Door, recognise};
use crate::webhook::job;
use crate::webhook::known::{Known, known, names};
use crate::webhook::outcome::{Taken, answer};
use crate::webhook::signature::{Signed, is_genuine};
use crate::webhook::trigger::{Trigger, check_text};

/// Through which door: part of a rollout's id.
const SENDER: &str = "jenkins";

pub(super) async fn deliver(
    app: Data<App>,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, Problem> {
    let taken = take(&app, &request, payload).await;
    answer(&app, SENDER, taken)
}

async fn take(app: &App, request: &HttpRequest, payload: Payload) -> Result<Taken, Problem> {
    if app.secrets.is_empty() {
        return Err(closed());
    }
    let bytes = body::raw(payload, BYTES_MAX).await?;
    let key = proven_key(app, request, &bytes)?;
    // What cannot be read is told at once; what it names is known only when all is read.
    read(&bytes)?;
    app.ready()?;
    let asked = ask(&bytes, key, &known(app), &app.people)?;
    asked.accept(app).await.map(Taken::Accepted)
}

/// What a trigger asks for, if these targets are all there are.
pub(crate) fn ask(
    bytes: &[u8],
    key: Option<String>,
    known: &[Known],
    people: &People,
) -> Result<Asked, Problem> {
    let trigger = read(bytes)?;
    let target = trigger.target();
    let Some(entry) = known.iter().find(|known| known.target == target) else {
        return Err(unknown(&target, known));
    };
    let build = &trigger.build;
    if let Some(jenkins) = &entry.jenkins
        && !job::is(&jenkins.job, &build.job, build.url.as_deref())
    {
        return Err(not_its_job(&target, &build.job, &jenkins.job));
    }
    let key = key.unwrap_or_else(|| trigger.key());
    check_text("the key", &key)?;
    let actor = Actor {
        kind: ActorKind::Job,
        id: trigger.build.job.clone(),
    };
    let request = RequestRollout {
        rollout: RolloutId::of(&target, SENDER, &key),
        key,
        sender: SENDER.to_owned(),
        version: trigger.version.clone(),
        artifact: trigger.artifact(),
        tests: trigger.tests().map(Box::new),
        requested_by: actor.clone(),
        // The secret proves that a job of this build server asks, never which person stands
        // behind it: who that is, is a claim.
        proven: false,
        claims: trigger.claims(people),
        commit: trigger.commit(),
        change: trigger.change(),
        build: Some(trigger.build),
        trust: Trust::Full,
    };
    Ok(Asked {
        target,
        request,
        actor,
    })
}

fn read(bytes: &[u8]) -> Result<Trigger, Problem> {
    let read: Result<Trigger, Problem> = body::parse(bytes);
    let trigger = read.map_err(|error| recognise(Door::Jenkins, bytes).unwrap_or(error))?;
    trigger.check()?;
    Ok(trigger)
}

/// Proves the sender, and gives the key of the delivery if it names one. Of a signed delivery
/// only the signed `webhook-id` can be the key: another header could be changed by whoever replays
/// it.
fn proven_key(app: &App, request: &HttpRequest, bytes: &[u8]) -> Result<Option<String>, Problem> {
    let header = |name: &str| request.headers().get(name)?.to_str().ok();
    let id = header("webhook-id");
    if let (Some(id), Some(timestamp), Some(signatures)) =
        (id, header("webhook-timestamp"), header("webhook-signature"))
    {
        let signed = Signed {
            id,
            timestamp,
            signatures,
        };
        if is_genuine(&app.secrets.signing, signed, bytes, app.now()) {
            return Ok(Some(id.to_owned()));
        }
    } else if let Some(token) =
        header(AUTHORIZATION.as_str()).and_then(|value| value.strip_prefix("Bearer "))
        && app.secrets.has_token(token.trim())
    {
        return Ok(header("idempotency-key").or(id).map(str::to_owned));
    }
    Err(Problem::unauthorised(
        "neither a signature of the last five minutes nor a bearer token that counts here",
    ))
}

fn closed() -> Problem {
    Problem::new(
        StatusCode::FORBIDDEN,
        "closed-door",
        "no secret, no door",
        "webhooks are not taken here: no secret is configured",
    )
    .mend("set `webhook_secrets` of the gateway to file:PATH or env:NAME")
}

fn unknown(target: &Target, known: &[Known]) -> Problem {
    Problem::not_found(
        "unknown-target",
        format!("`{target}` is not in the catalogue"),
    )
    .field("service")
    .mend("name a known target, or apply a catalogue entry for this one")
    .known(names(known))
}

/// The secret is that of a whole Jenkins: the catalogue says whose builds are meant.
fn not_its_job(target: &Target, said: &str, job: &str) -> Problem {
    Problem::new(
        StatusCode::FORBIDDEN,
        "not-its-job",
        "another job's service",
        format!("builds of `{said}` may not ask for `{target}`"),
    )
    .field("build.job")
    .mend("name the service that this job builds, or correct [jenkins] job in its catalogue entry")
    .known([job.to_owned()])
}
