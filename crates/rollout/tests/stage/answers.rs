//! What workers say to a command.

use events::{
    Answer, AnsweredBy, BalancerName, Command, CommandStarted, DrainFailed, DrainRefused, Drained,
    FailedBecause, Failure, FetchFailed, Fetched, Healthy, Held, InstallFailed, Installed, Output,
    OwnDone, OwnFailed, Proof, RestoreFailed, Restored, TestsFailed, TestsPassed, Unhealthy, Work,
    Worker,
};

use super::watches;

/// Everything a worker says to a command that it carries out well.
pub(crate) fn good(command: &Command, started: bool) -> Vec<Answer> {
    let id = || command.id.clone();
    let balancers = || {
        command
            .balancers
            .iter()
            .map(|balancer| balancer.name.clone())
    };
    let begun = (command.worker() == Worker::Agent && !started)
        .then(|| Answer::CommandStarted(CommandStarted { command: id() }));
    if command.own.is_some() {
        let done = Answer::OwnDone(OwnDone {
            command: id(),
            took_ms: 10,
            output: Output::default(),
        });
        return begun.into_iter().chain([done]).collect();
    }
    let done: Vec<Answer> = match &command.work {
        Work::Fetch(fetch) => vec![Answer::Fetched(Fetched {
            command: id(),
            sha256: fetch.artifact.sha256,
            bytes: 1_000,
            is_well: None,
            took_ms: 10,
        })],
        Work::Drain(drain) => balancers()
            .map(|balancer| drained(command, balancer, drain.floor))
            .collect(),
        Work::Install(install) => vec![Answer::Installed(Installed {
            command: id(),
            version: install.version.clone(),
            sha256_runs: install.artifact.sha256,
            proof: Proof {
                kind: "http".to_owned(),
                value: install.version.to_string(),
            },
            previous: None,
            took_ms: 10,
            resumed: false,
            output: Output::default(),
        })],
        Work::Check(_) => vec![Answer::Healthy(Healthy {
            command: id(),
            probes: Vec::new(),
            answered_by: AnsweredBy::default(),
            balancers: balancers().collect(),
        })],
        Work::Test(_) => vec![Answer::TestsPassed(TestsPassed {
            command: id(),
            suites: Vec::new(),
            answered_by: AnsweredBy::default(),
            output: Output::default(),
        })],
        Work::Restore(_) => balancers()
            .map(|balancer| restored(command, balancer))
            .collect(),
        Work::Watch(_) => vec![watches::steady(command, 0)],
        Work::Hold(_) => balancers()
            .map(|balancer| held(command, balancer))
            .collect(),
    };
    begun.into_iter().chain(done).collect()
}

fn held(command: &Command, balancer: BalancerName) -> Answer {
    Answer::Held(Held {
        command: command.id.clone(),
        balancer,
        state_saved: true,
        row: String::new(),
    })
}

fn drained(command: &Command, balancer: BalancerName, floor: u32) -> Answer {
    Answer::Drained(Drained {
        command: command.id.clone(),
        balancer,
        haproxy_pid: 100,
        haproxy_version: "2.6.12".to_owned(),
        running: 0,
        queued: 0,
        cut: 0,
        pinned_seen: 0,
        state_saved: true,
        waited_ms: 10,
        up_before: floor + 1,
        up_after: floor,
        floor,
        was_up: true,
        by_person: false,
        row: String::new(),
    })
}

fn restored(command: &Command, balancer: BalancerName) -> Answer {
    Answer::Restored(Restored {
        command: command.id.clone(),
        balancer,
        up: true,
        check_age_ms: 10,
        state_saved: true,
        row: String::new(),
    })
}

/// What its worker says when it fails.
pub(crate) fn bad(command: &Command, why: &FailedBecause, balancer: &str) -> Answer {
    let id = command.id.clone();
    let failure = Failure::new(why.clone(), "as the script says");
    let balancer = balancer.parse().expect("a balancer");
    if command.own.is_some() {
        return Answer::OwnFailed(OwnFailed {
            command: id,
            failure,
            output: Output::default(),
        });
    }
    match &command.work {
        Work::Fetch(_) => Answer::FetchFailed(FetchFailed {
            command: id,
            failure,
        }),
        Work::Drain(_) => Answer::DrainFailed(DrainFailed {
            command: id,
            balancer,
            failure,
            running: 7,
            queued: 0,
            row: String::new(),
        }),
        Work::Install(_) => Answer::InstallFailed(InstallFailed {
            command: id,
            failure,
            output: Output::default(),
        }),
        Work::Check(_) => Answer::Unhealthy(Unhealthy {
            command: id,
            failure,
            probes: Vec::new(),
        }),
        Work::Test(_) => Answer::TestsFailed(TestsFailed {
            command: id,
            failure,
            suites: Vec::new(),
            answered_by: AnsweredBy::default(),
            output: Output::default(),
        }),
        Work::Restore(_) => Answer::RestoreFailed(RestoreFailed {
            command: id,
            balancer,
            failure,
            row: String::new(),
        }),
        Work::Watch(_) if *why == FailedBecause::Unreachable => watches::unseen(command),
        Work::Watch(_) => watches::regressed(command, why),
        Work::Hold(_) => panic!("a Hold does not fail"),
    }
}

/// A balancer's controller that would go below the floor.
pub(crate) fn refused(command: &Command, balancer: &str) -> Answer {
    let Work::Drain(drain) = &command.work else {
        panic!("{} is no drain", command.id);
    };
    Answer::DrainRefused(DrainRefused {
        command: command.id.clone(),
        balancer: balancer.parse().expect("a balancer"),
        up: drain.floor,
        floor: drain.floor,
        row: String::new(),
    })
}
