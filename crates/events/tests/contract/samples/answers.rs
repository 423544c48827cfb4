//! Answers of lb-controllers and agents.

use super::base::*;
use poolshift_events::*;

const ROW: &str = "checkout,web1,0,0,0,17,,4711,MAINT";

pub(crate) fn all() -> Vec<Answer> {
    let mut answers = work();
    answers.extend(pools());
    answers.extend(seen());
    answers
}

fn work() -> Vec<Answer> {
    vec![
        CommandStarted {
            command: command_id("install"),
        }
        .into(),
        CommandRefused {
            command: command_id("install"),
            reason: RefusedBecause::Stale,
            highest: Fence { epoch: 7, seq: 12 },
        }
        .into(),
        Fetched {
            command: command_id("fetch"),
            sha256: digest("artifact 2.4.0"),
            bytes: 52_428_800,
            is_well: None,
            took_ms: 1_250,
        }
        .into(),
        FetchFailed {
            command: command_id("fetch"),
            failure: failure(FailedBecause::WrongDigest),
        }
        .into(),
        installed(Some(previous()), output()).into(),
        installed(None, Output::default()).into(),
        InstallFailed {
            command: command_id("back-install"),
            failure: failure(FailedBecause::ProgramFailed),
            output: output(),
        }
        .into(),
    ]
}

fn installed(previous: Option<Release>, output: Output) -> Installed {
    Installed {
        command: command_id("install"),
        version: version(),
        sha256_runs: digest("artifact 2.4.0"),
        proof: Proof {
            kind: "http".to_owned(),
            value: "2.4.0".to_owned(),
        },
        previous,
        took_ms: 2_340,
        resumed: false,
        output,
    }
}

fn pools() -> Vec<Answer> {
    let command = command_id("drain");
    vec![
        drained().into(),
        DrainRefused {
            command: command.clone(),
            balancer: balancer(),
            up: 2,
            floor: 2,
            row: ROW.to_owned(),
        }
        .into(),
        DrainFailed {
            command,
            balancer: balancer(),
            failure: failure(FailedBecause::StillBusy),
            running: 3,
            queued: 1,
            row: ROW.to_owned(),
        }
        .into(),
        Held {
            command: command_id("hold"),
            balancer: balancer(),
            state_saved: true,
            row: ROW.to_owned(),
        }
        .into(),
        Restored {
            command: command_id("restore"),
            balancer: balancer(),
            up: true,
            check_age_ms: 180,
            state_saved: true,
            row: ROW.to_owned(),
        }
        .into(),
        RestoreFailed {
            command: command_id("restore"),
            balancer: balancer(),
            failure: failure(FailedBecause::NotObeyed),
            row: ROW.to_owned(),
        }
        .into(),
    ]
}

fn drained() -> Drained {
    Drained {
        command: command_id("drain"),
        balancer: balancer(),
        haproxy_pid: 4_711,
        haproxy_version: "2.6.12".to_owned(),
        running: 0,
        queued: 0,
        cut: 0,
        pinned_seen: 4,
        state_saved: true,
        waited_ms: 310,
        up_before: 4,
        up_after: 3,
        floor: 2,
        was_up: true,
        by_person: false,
        row: ROW.to_owned(),
    }
}

fn seen() -> Vec<Answer> {
    let drift = |balancer| DriftSeen {
        server: server(),
        balancer,
        wanted: "online".to_owned(),
        found: "drained by a person".to_owned(),
    };
    let member = |server, pool, up| PoolMember { server, pool, up };
    vec![
        Strayed {
            server: server(),
            balancer: balancer(),
            mark: command_id("drain"),
            row: ROW.to_owned(),
        }
        .into(),
        HoldBroken {
            server: server(),
            balancer: balancer(),
            requests: 3,
            ms: 240,
            row: ROW.to_owned(),
        }
        .into(),
        drift(Some(balancer())).into(),
        drift(None).into(),
        PoolSeen {
            balancer: balancer(),
            servers: vec![
                member(server(), Pool::Maintenance, false),
                member(other_server(), Pool::Online, true),
            ],
        }
        .into(),
        AgentSeen {
            machine: machine(),
            servers: vec![
                ServerRuns {
                    server: server(),
                    release: Some(release()),
                },
                ServerRuns {
                    server: other_server(),
                    release: None,
                },
            ],
            agent_version: "0.1.0".to_owned(),
        }
        .into(),
    ]
}
