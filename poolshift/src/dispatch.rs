//! From the command line to the exit code.

use std::io::{Write as _, stderr};
use std::process::ExitCode;

use clap::{CommandFactory as _, Parser as _};

use crate::cli::{Agent, Cli, Verb};
use crate::client::Client;
use crate::failure::Failure;
use crate::said::{self, Said};
use crate::verbs::log::Log;
use crate::verbs::steer::Wanted;
use crate::verbs::topics::Topics;
use crate::{exit, serve, verbs};

/// Runs the command line to its end.
#[must_use]
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return misused(&error),
    };
    if let Verb::Serve { config, catalogue } = cli.verb {
        return boot::run(
            "poolshift serve",
            Some(&config),
            |mut settings: serve::Settings, shutdown| {
                settings.catalogue = catalogue.or(settings.catalogue);
                serve::run(settings, shutdown)
            },
        );
    }
    let json = cli.common.json;
    let code = run(cli).unwrap_or_else(|error| failed(&error, json));
    ExitCode::from(code)
}

/// The command line cannot be used, or asks for help. A pipeline takes every code of `verdict` but
/// 0 for "no success", and may take 2 for trouble of its own.
fn misused(error: &clap::Error) -> ExitCode {
    // Nobody is left to be told when stderr is gone.
    drop(error.print());
    let lenient = Cli::command().ignore_errors(true).try_get_matches();
    let is_verdict = lenient.is_ok_and(|asked| asked.subcommand_name() == Some("verdict"));
    let code = match error.use_stderr() {
        false => exit::DONE,
        true if is_verdict => exit::REFUSED,
        true => exit::WRONG_USE,
    };
    ExitCode::from(code)
}

/// Tells what is wrong, and gives the exit code for it.
fn failed(error: &anyhow::Error, json: bool) -> u8 {
    let failure = match error.downcast_ref::<Failure>() {
        Some(failure) => failure.clone(),
        None => Failure::refused(format!("{error:#}")),
    };
    let text = match serde_json::to_string(&failure) {
        Ok(text) if json => text,
        Ok(_) | Err(_) => format!("poolshift: {failure}"),
    };
    // Nobody is left to be told when stderr is gone.
    drop(writeln!(stderr(), "{text}"));
    failure.code
}

fn run(cli: Cli) -> anyhow::Result<u8> {
    let said = match offline(&cli) {
        Some(said) => said?,
        None => online(cli)?,
    };
    if !said.text.is_empty() {
        said::line(&said.text)?;
    }
    Ok(said.code)
}

/// What works on files alone, and so cannot fail for want of a server or its address.
fn offline(cli: &Cli) -> Option<anyhow::Result<Said>> {
    let json = cli.common.json;
    if let Verb::Verdict { files, at_least } = &cli.verb {
        return Some(verbs::verdict::run(files, *at_least, json));
    }
    if let Verb::WebhookCheck {
        sender,
        catalogue,
        files,
    } = &cli.verb
    {
        let catalogue = catalogue.as_deref();
        return Some(verbs::webhook_check::run(*sender, catalogue, files, json));
    }
    None
}

fn online(cli: Cli) -> anyhow::Result<Said> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(verb(cli))
}

async fn verb(cli: Cli) -> anyhow::Result<Said> {
    let json = cli.common.json;
    let client = Client::new(&cli.common.api)?;
    match cli.verb {
        // Done before; see `main` and `offline`.
        Verb::Serve { .. } | Verb::Verdict { .. } | Verb::WebhookCheck { .. } => Ok(Said::done("")),
        Verb::Import(import) => verbs::import::run(&import, json).await,
        Verb::Doctor(doctor) => verbs::doctor::run(&client, &doctor, json).await,
        Verb::Check { paths } => verbs::check::run(&paths, json),
        Verb::Apply { folder, person } => {
            verbs::apply::run(&client, folder, person.person.as_deref(), json).await
        }
        Verb::Plan {
            target,
            version,
            catalogue,
        } => verbs::plan::run(&client, target, version, catalogue, json).await,
        Verb::Adopt {
            target,
            what,
            all,
            sha256,
            person,
        } => {
            let who = verbs::adopt::who(what, all)?;
            verbs::adopt::run(&client, &target, who, sha256, person.person, json).await
        }
        Verb::Start(start) => verbs::start::run(&client, start, json).await,
        Verb::Status { target } => verbs::status::run(&client, target, json).await,
        Verb::Watch(rollout) => verbs::watch::run(&client, &rollout.rollout, json).await,
        Verb::Pause(why) => verbs::steer::run(&client, Wanted::Pause, why, json).await,
        Verb::Resume(why) => verbs::steer::run(&client, Wanted::Resume, why, json).await,
        Verb::Abort(why) => verbs::steer::run(&client, Wanted::Abort, why, json).await,
        Verb::Retry(why) => verbs::steer::run(&client, Wanted::Retry, why, json).await,
        Verb::Exclude {
            target,
            server,
            reason,
            person,
        } => verbs::exclude::run(&client, &target, &server, reason, person.person, json).await,
        Verb::Release {
            target,
            server,
            reason,
            person,
        } => verbs::release::run(&client, &target, &server, reason, person.person, json).await,
        Verb::Approve(approve) => verbs::approve::run(&client, approve, json).await,
        Verb::Supersede(asked) => verbs::supersede::run(&client, asked, json).await,
        Verb::Override(asked) => verbs::overrule::run(&client, asked, json).await,
        Verb::Freeze(asked) => verbs::freeze::freeze(&client, asked, json).await,
        Verb::Unfreeze(asked) => verbs::freeze::unfreeze(&client, asked, json).await,
        Verb::History { target, limit } => verbs::history::run(&client, &target, limit, json).await,
        Verb::HaproxyConfig(config) => verbs::haproxy_config::run(&config, json),
        Verb::Agent(Agent::Enrol { machine }) => verbs::agent::enrol(&client, &machine, json).await,
        Verb::Agent(Agent::Revoke {
            machine,
            reason,
            person,
        }) => verbs::agent::revoke(&client, &machine, reason, person.person, json).await,
        Verb::Log(Log::Size) => verbs::log::size(&client, json).await,
        Verb::Log(Log::Export { to, log }) => {
            verbs::log::export(&client, &to, log.as_deref(), json).await
        }
        Verb::Log(Log::Import { from, log }) => verbs::log::import(&from, &log, json).await,
        Verb::Topics(Topics::Create(asked)) => verbs::topics::create(&asked, json).await,
        Verb::Replay { log } => verbs::replay::run(&log, json).await,
    }
}
