//! `POST /webhooks/jenkins-notification/{token}`: what the Notification plugin sends. It can prove
//! no more than that it knows a URL, and never looks at the answer.

use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::http::header::{AUTHORIZATION, CONTENT_TYPE};
use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use tokio::time::{Instant, sleep};

use crate::app::App;
use crate::body;
use crate::problem::Problem;
use crate::webhook::build::{Heard, SENDER, hear};
use crate::webhook::known::known;
use crate::webhook::outcome::{Taken, answer};

/// The largest notification, in bytes: one may carry the end of the build's log.
pub(crate) const NOTIFICATION_BYTES_MAX: usize = 2 * 1024 * 1024;

/// How long a notification waits for a gateway that has just started: it does not come again.
const READY_WITHIN: Duration = Duration::from_secs(10);
const PAUSE: Duration = Duration::from_millis(100);

pub(super) async fn deliver(
    app: Data<App>,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, Problem> {
    let taken = take(&app, &request, payload).await;
    answer(&app, SENDER, taken)
}

async fn take(app: &App, request: &HttpRequest, payload: Payload) -> Result<Taken, Problem> {
    prove(app, request)?;
    let bytes = body::raw(payload, NOTIFICATION_BYTES_MAX).await?;
    ready(app).await?;
    let kind = request.headers().get(CONTENT_TYPE);
    let kind = kind.and_then(|kind| kind.to_str().ok());
    match hear(&bytes, kind, &known(app), &app.people)? {
        Heard::Ignored(why) => Ok(Taken::Ignored(why)),
        Heard::Asked(asked) => asked.accept(app).await.map(Taken::Accepted),
    }
}

/// Whoever knows the token, in the path or as the password of Basic: the plugin has nothing else.
fn prove(app: &App, request: &HttpRequest) -> Result<(), Problem> {
    let secrets = &app.notification_secrets;
    if secrets.is_empty() {
        return Err(closed());
    }
    let in_path = request.match_info().get("token");
    let header = request.headers().get(AUTHORIZATION);
    let basic = header.and_then(|value| password(value.to_str().ok()?));
    let given = in_path.map(str::to_owned).into_iter().chain(basic);
    // Each is looked at, so that the time tells nothing.
    let found = given.fold(false, |found, token| found | secrets.has_token(&token));
    if found {
        return Ok(());
    }
    Err(Problem::unauthorised(
        "neither a token in the path nor a password of Basic that counts here",
    ))
}

/// The password of Basic; of `https://TOKEN@host/` the plugin sends the token alone.
fn password(header: &str) -> Option<String> {
    let encoded = header.strip_prefix("Basic ")?;
    let decoded = String::from_utf8(BASE64.decode(encoded.trim()).ok()?).ok()?;
    let password = decoded
        .split_once(':')
        .map_or(decoded.as_str(), |(_, password)| password);
    Some(password.to_owned())
}

async fn ready(app: &App) -> Result<(), Problem> {
    let until = Instant::now() + READY_WITHIN;
    loop {
        match app.ready() {
            Ok(()) => return Ok(()),
            Err(problem) if Instant::now() >= until => return Err(problem),
            Err(_) => sleep(PAUSE).await,
        }
    }
}

fn closed() -> Problem {
    Problem::new(
        StatusCode::FORBIDDEN,
        "closed-door",
        "no secret, no door",
        "notifications are not taken here: no secret is configured",
    )
    .mend("set `notification_secrets` of the gateway to file:PATH or env:NAME")
}
