//! What an agent says when its work has ended: the outside's half of an answer.

use events::{
    Answer, AnsweredBy, Command, FailedBecause, Failure, Fetched, Install, Installed, Output,
    Proof, Release, TestsPassed, Work,
};

use crate::fleet::Host;
use crate::program::Ended;

/// What an agent says of a program that it saw to its end.
pub(crate) fn answer(command: &Command, ended: Ended, previous: Option<Release>) -> Answer {
    let reason = match (ended, &command.work) {
        (Ended::Well, _) => return done(command, previous, false),
        (Ended::ByForce, _) => FailedBecause::TimedOut,
        (Ended::Badly, Work::Fetch(_)) => FailedBecause::Unreachable,
        (Ended::Badly, Work::Test(_)) => FailedBecause::CasesFailed,
        (
            Ended::Badly,
            Work::Install(_)
            | Work::Drain(_)
            | Work::Check(_)
            | Work::Restore(_)
            | Work::Hold(_)
            | Work::Watch(_),
        ) => FailedBecause::ProgramFailed,
    };
    failed(command, reason, "the program failed")
}

/// What an agent says of what a former life of it began: by what it finds, never by what it ran.
pub(crate) fn recovered(
    command: &Command,
    host: Option<&Host>,
    fetched: bool,
    ended: Option<Ended>,
    previous: Option<Release>,
) -> Answer {
    let found = match &command.work {
        Work::Fetch(_) => fetched,
        // A process of the same version that was never restarted would prove nothing.
        Work::Install(install) => {
            ended.is_some()
                && host.is_some_and(|host| host.runs == release_of(install) && host.is_up())
        }
        // Half a test run is no verdict.
        Work::Test(_)
        | Work::Drain(_)
        | Work::Check(_)
        | Work::Restore(_)
        | Work::Hold(_)
        | Work::Watch(_) => false,
    };
    if found {
        done(command, previous, true)
    } else {
        failed(command, FailedBecause::Interrupted, "the agent was killed")
    }
}

/// What an agent says of a command that failed.
pub(crate) fn failed(command: &Command, reason: FailedBecause, detail: &str) -> Answer {
    let failure = Failure::new(reason, detail);
    agent::failed(command, failure, Output::default())
}

fn done(command: &Command, previous: Option<Release>, resumed: bool) -> Answer {
    let id = command.id.clone();
    match &command.work {
        Work::Fetch(fetch) => Answer::from(Fetched {
            command: id,
            sha256: fetch.artifact.sha256,
            bytes: 1_000,
            is_well: None,
            took_ms: 10,
        }),
        Work::Install(install) => {
            let release = release_of(install);
            Answer::from(Installed {
                command: id,
                version: release.version,
                sha256_runs: release.sha256,
                proof: Proof {
                    kind: "http".to_owned(),
                    value: String::new(),
                },
                previous,
                took_ms: 10,
                resumed,
                output: Output::default(),
            })
        }
        Work::Test(_) => Answer::from(TestsPassed {
            command: id,
            suites: Vec::new(),
            answered_by: AnsweredBy::default(),
            output: Output::default(),
        }),
        Work::Drain(_) | Work::Check(_) | Work::Restore(_) | Work::Hold(_) | Work::Watch(_) => {
            failed(command, FailedBecause::NotObeyed, "not for agents")
        }
    }
}

/// The release that an installation leads to.
pub(crate) fn release_of(install: &Install) -> Release {
    Release {
        version: install.version.clone(),
        sha256: install.artifact.sha256,
    }
}
