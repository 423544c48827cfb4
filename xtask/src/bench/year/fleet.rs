//! A fleet on which everything goes well, and its words.

use events::{
    AgentSeen, Answer, AnsweredBy, Command, CommandStarted, Drained, Fetched, Healthy, Installed,
    Output, ProbeResult, Proof, Release, Restored, ServerRuns, SuiteResult, TestsPassed, Work,
    sha256,
};

/// Two balancers with thirty columns each say so much.
const ROW: &str = "shop,web1,0,0,0,7,,184223,91734412,882934123,,0,,0,0,0,0,UP,1,1,0,2,1,86322,\
                   12,,1,4,1,,184223,,2,31,,92,L7OK,200,3,0,183992,12,219,0,0,,,,,17,4,,,,,0";

/// Who says what when a command is carried out, in this order.
pub(super) fn answers(command: &Command) -> Vec<(&'static str, Answer)> {
    let id = &command.id;
    let started = || {
        let command = id.clone();
        ("agent", Answer::from(CommandStarted { command }))
    };
    match &command.work {
        Work::Fetch(fetch) => {
            let fetched = Fetched {
                command: id.clone(),
                sha256: fetch.artifact.sha256,
                bytes: 48_211_903,
                took_ms: 3_214,
                is_well: None,
            };
            vec![started(), ("agent", fetched.into())]
        }
        Work::Install(install) => {
            let release = Release {
                version: install.version.clone(),
                sha256: install.artifact.sha256,
            };
            let seen = seen(command, &release);
            let installed = installed(command, release);
            vec![
                started(),
                ("agent", installed.into()),
                ("agent", seen.into()),
            ]
        }
        Work::Test(_) => vec![started(), ("agent", tested(command).into())],
        Work::Check(_) => vec![("health-checker", healthy(command).into())],
        Work::Drain(drain) => balancers(command, |balancer| {
            let up = u32::try_from(drain.members.len()).unwrap_or(u32::MAX);
            Drained {
                command: id.clone(),
                balancer,
                haproxy_pid: 1_204,
                haproxy_version: "2.6.12-1+deb12u4".to_owned(),
                running: 0,
                queued: 0,
                cut: 0,
                pinned_seen: 12,
                state_saved: true,
                waited_ms: 1_204,
                up_before: up,
                up_after: up.saturating_sub(2),
                floor: drain.floor,
                was_up: true,
                by_person: false,
                row: ROW.to_owned(),
            }
        }),
        Work::Restore(_) => balancers(command, |balancer| Restored {
            command: id.clone(),
            balancer,
            up: true,
            check_age_ms: 120,
            state_saved: true,
            row: ROW.to_owned(),
        }),
        Work::Hold(_) | Work::Watch(_) => Vec::new(),
    }
}

fn balancers<A: Into<Answer>>(
    command: &Command,
    answer: impl Fn(events::BalancerName) -> A,
) -> Vec<(&'static str, Answer)> {
    let all = command.balancers.iter();
    all.map(|balancer| ("lb-controller", answer(balancer.name.clone()).into()))
        .collect()
}

fn seen(command: &Command, release: &Release) -> AgentSeen {
    AgentSeen {
        machine: command.machine.clone(),
        servers: vec![ServerRuns {
            server: command.server.clone(),
            release: Some(release.clone()),
        }],
        agent_version: env!("CARGO_PKG_VERSION").to_owned(),
    }
}

fn installed(command: &Command, release: Release) -> Installed {
    Installed {
        command: command.id.clone(),
        version: release.version,
        sha256_runs: release.sha256,
        proof: Proof {
            kind: "http".to_owned(),
            value: "200, the version as wanted".to_owned(),
        },
        previous: None,
        took_ms: 9_411,
        resumed: false,
        output: Output {
            sha256: Some(sha256(command.id.to_string().as_bytes())),
            bytes: 8_120,
            truncated: true,
            tail: "the service was stopped\nthe service was started\n".repeat(8),
            masked: 0,
        },
    }
}

fn tested(command: &Command) -> TestsPassed {
    TestsPassed {
        command: command.id.clone(),
        suites: vec![SuiteResult {
            name: "smoke".to_owned(),
            tests_sha256: None,
            results_sha256: Some(sha256(command.server.as_str().as_bytes())),
            format: "nunit3".to_owned(),
            total: 42,
            passed: 42,
            failed: 0,
            skipped: 0,
            not_run: 0,
            cases: Vec::new(),
        }],
        answered_by: answered_by(command),
        output: Output::default(),
    }
}

fn healthy(command: &Command) -> Healthy {
    let balancers = command.balancers.iter();
    Healthy {
        command: command.id.clone(),
        probes: vec![ProbeResult {
            probe: "GET /health".to_owned(),
            good: true,
            found: "200, \"ok\"".to_owned(),
            took_ms: 4,
        }],
        answered_by: answered_by(command),
        balancers: balancers.map(|balancer| balancer.name.clone()).collect(),
    }
}

fn answered_by(command: &Command) -> AnsweredBy {
    AnsweredBy {
        server: command.line.clone(),
        version: Some("1.0.0".to_owned()),
    }
}
