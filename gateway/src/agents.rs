//! The agents' door: enrolment, tokens, commands, reports. An agent sees and says nothing of
//! other machines than its own.

mod board;
mod codes;
mod enrol;
mod looks;
mod poll;
mod reports;
mod signed;
mod tokens;
mod told;

use actix_web::http::StatusCode;
use actix_web::http::header::AUTHORIZATION;
use actix_web::web::{self, ServiceConfig};
use actix_web::{HttpRequest, web::Data};
use events::MachineName;
use view::MachineView;

pub(crate) use board::{Board, follow};
pub(crate) use codes::Codes;
pub(crate) use looks::Looks;
pub(crate) use tokens::Tokens;

use crate::app::App;
use crate::problem::Problem;
use tokens::Claims;

pub(crate) fn routes(config: &mut ServiceConfig) {
    config
        .service(web::resource("/agents/v1/enrol").route(web::post().to(enrol::enrol)))
        .service(web::resource("/agents/v1/token").route(web::post().to(enrol::token)))
        .service(web::resource("/agents/v1/look").route(web::post().to(looks::take)))
        .service(web::resource("/agents/v1/commands").route(web::get().to(poll::commands)))
        .service(web::resource("/agents/v1/reports").route(web::post().to(reports::take)));
}

/// The agent that a request comes from, proven by its token. The token dies with the key that it
/// was given for: when the machine is revoked, or enrolled with another key.
fn agent(app: &Data<App>, request: &HttpRequest) -> Result<(MachineName, Claims), Problem> {
    let refused = || Problem::unauthorised("no token that counts here");
    let token = request
        .headers()
        .get(AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.strip_prefix("Bearer "))
        .ok_or_else(refused)?;
    let claims = app.tokens.read(token, app.now()).ok_or_else(refused)?;
    let machine: MachineName = claims.sub.parse().map_err(|_| refused())?;
    stands(app, &machine, &claims)?;
    let version = reports::agent_version(request);
    app.view.seen_in(&machine, app.now(), &version);
    Ok((machine, claims))
}

/// Whether the key that a token was given for still counts.
fn stands(app: &App, machine: &MachineName, claims: &Claims) -> Result<(), Problem> {
    let Some(kept) = app.view.machine(machine) else {
        app.ready()?;
        return Err(Problem::unauthorised("no token that counts here"));
    };
    if !kept.document.counts() {
        return Err(out(&kept.document));
    }
    if signed::thumbprint(&kept.document.public_key) != claims.key {
        return Err(Problem::unauthorised("no token that counts here"));
    }
    Ok(())
}

/// Why an agent is not let in though it has a key.
fn out(shown: &MachineView) -> Problem {
    let machine = &shown.machine;
    if let Some(why) = &shown.stands_still {
        return Problem::new(
            StatusCode::FORBIDDEN,
            "stands-still",
            "this machine stands still",
            format!("whether the key of {machine} counts is not known: {why}"),
        )
        .mend("mend the log, as docs/runbook.md says; the agent comes back by itself");
    }
    Problem::new(
        StatusCode::FORBIDDEN,
        "revoked",
        "this machine is revoked",
        format!("the key of {machine} counts no more"),
    )
    .mend("enrol the machine again, with a new code")
}
