//! Packages of tests, and servers that leave or join a rollout on its way.

use super::base::*;
use super::{asks, commands, requests, verdicts};
use poolshift_events::*;

pub(crate) fn works() -> Vec<(&'static str, &'static str, Work)> {
    let fetch = Fetch {
        tests: Some(package()),
        ..commands::fetch()
    };
    let asks_first = Fetch {
        prove: Some(Prove::Http {
            url: "http://10.1.0.1:8080/version".to_owned(),
        }),
        ..commands::fetch()
    };
    let direct = Check {
        direct: Some("http://10.1.0.1:8080".to_owned()),
        ..commands::check()
    };
    let test = Test {
        tests: Some(package()),
        ..commands::test()
    };
    vec![
        (".form-2", "fetch", Work::Fetch(fetch)),
        (".form-2", "test", Work::Test(test)),
        (".form-3", "fetch", Work::Fetch(asks_first)),
        (".form-2", "check-1", Work::Check(direct)),
    ]
}

pub(crate) fn answers() -> Vec<Answer> {
    let suite = SuiteResult {
        tests_sha256: Some(package().sha256),
        ..verdicts::suite(Some(digest("result.xml")), vec![])
    };
    vec![
        OwnDone {
            command: command_id("drain"),
            took_ms: 40,
            output: output(),
        }
        .into(),
        OwnFailed {
            command: command_id("restore"),
            failure: failure(FailedBecause::ProgramFailed),
            output: output(),
        }
        .into(),
        Fetched {
            command: command_id("fetch"),
            sha256: digest("artifact 2.4.0"),
            bytes: 52_428_800,
            took_ms: 1_250,
            is_well: Some(false),
        }
        .into(),
        CommandQueued {
            command: command_id("install"),
            behind: CommandId {
                rollout: RolloutRef::Rollout(other_rollout()),
                ..command_id("test")
            },
            behind_target: "production/ledger".parse().unwrap(),
            at_most_ms: 300_000,
        }
        .into(),
        TestsPassed {
            command: command_id("test"),
            suites: vec![suite],
            answered_by: verdicts::answered_by(),
            output: output(),
        }
        .into(),
    ]
}

pub(crate) fn asks() -> Vec<Ask> {
    vec![
        RequestRollout {
            tests: Some(Box::new(requested())),
            ..asks::request()
        }
        .into(),
        ExcludeServer {
            rollout: rollout(),
            server: server(),
            reason: "its disk is broken".to_owned(),
        }
        .into(),
    ]
}

pub(crate) fn decisions() -> Vec<Decision> {
    let mut plan = requests::plan();
    plan.tests = Some(package());
    plan.servers[0].previous_tests = Some(Artifact {
        sha256: digest("tests 2.3.9"),
        ..package()
    });
    let plan = Sealed::new(plan).unwrap();
    vec![
        RolloutRequested {
            tests: Some(Box::new(requested())),
            ..requests::requested()
        }
        .into(),
        RolloutPlanned {
            rollout: rollout(),
            digest: plan.digest(),
            plan,
        }
        .into(),
        ServerExcluded {
            rollout: rollout(),
            server: server(),
            why: ExcludedBecause::ByPerson,
            by: Some(actor()),
            reason: Some("its disk is broken".to_owned()),
        }
        .into(),
        ServerJoined {
            rollout: rollout(),
            planned: PlannedServer {
                previous: None,
                previous_tests: None,
                ..requests::plan().servers.remove(0)
            },
        }
        .into(),
    ]
}

fn package() -> Artifact {
    Artifact {
        url: requested().url,
        sha256: requested().sha256,
        max_bytes: 209_715_200,
    }
}

fn requested() -> RequestedTests {
    RequestedTests {
        url: "https://artifacts.example/checkout/2.4.0/tests.tar.gz".to_owned(),
        sha256: digest("tests 2.4.0"),
    }
}
