//! Whatever we write fits into a record, also for the largest target with the longest names.

use poolshift_events::*;

use crate::samples;

const SERVERS: usize = 1_000;

#[test]
fn every_sample_fits_into_its_record() {
    for sample in samples::all() {
        let kind = sample.name.split(".v1").next().unwrap_or_default();
        assert!(sample.bytes.len() <= bytes_max(kind), "{}", sample.name);
    }
}

#[test]
fn a_plan_is_larger_than_a_record_and_smaller_than_what_kafka_takes() {
    const { assert!(RECORD_BYTES_MAX < PLAN_BYTES_MAX && PLAN_BYTES_MAX < 1_000_000) };
}

#[test]
fn the_largest_target_fits_into_the_records_that_list_its_servers() {
    let rollout = samples::one("poolshift.rollout-finished.v1");
    let Ok(Decision::RolloutFinished(mut finished)) =
        Decision::from_bytes("poolshift.rollout-finished", 1, &rollout.bytes)
    else {
        panic!("not the sample of a finished rollout");
    };
    finished.servers = names()
        .map(|server| FinalServer {
            server,
            release: Some(release()),
            pool: Pool::Maintenance,
        })
        .collect();
    finished.left = names().collect();
    let started = BatchStarted {
        rollout: finished.rollout,
        batch: 1,
        servers: names().collect(),
    };
    let back = RollbackStarted {
        rollout: finished.rollout,
        reason: "x".repeat(1_024),
        servers: names().collect(),
    };
    let seen = PoolSeen {
        balancer: "b".repeat(63).parse().unwrap(),
        servers: names()
            .map(|server| PoolMember {
                server,
                pool: Pool::Maintenance,
                up: false,
            })
            .collect(),
    };
    for decision in [finished.into(), started.into(), back.into()] {
        let decision: Decision = decision;
        assert_fits(decision.kind(), &decision.to_bytes());
    }
    let seen = Answer::from(seen);
    assert_fits(seen.kind(), &seen.to_bytes());
}

#[test]
fn the_largest_target_fits_into_its_plan() {
    let sample = samples::one("poolshift.rollout-planned.v1");
    let Ok(Decision::RolloutPlanned(planned)) =
        Decision::from_bytes("poolshift.rollout-planned", 1, &sample.bytes)
    else {
        panic!("not the sample of a plan");
    };
    let mut plan = planned.plan.value().clone();
    plan.servers = names().map(planned_server).collect();
    plan.batches = vec![names().collect()];
    plan.entry = plan.servers.iter().map(entry_line).collect();
    let plan = Decision::from(RolloutPlanned {
        plan: Sealed::new(plan).unwrap(),
        ..planned
    });
    assert_fits(plan.kind(), &plan.to_bytes());
}

/// As ASCII; an agent that keeps more exotic texts must count bytes as JSON writes them.
#[test]
fn the_most_failed_cases_fit_into_an_answer() {
    let sample = samples::one("poolshift.tests-failed.v1");
    let Ok(Answer::TestsFailed(mut failed)) =
        Answer::from_bytes("poolshift.tests-failed", 1, &sample.bytes)
    else {
        panic!("not the sample of failed tests");
    };
    let case = FailedCase {
        name: "n".repeat(200),
        message: "m".repeat(FailedCase::BYTES_MAX - 200),
    };
    failed.suites[0].cases = vec![case; FailedCase::COUNT_MAX];
    failed.failure.detail = "d".repeat(Failure::DETAIL_BYTES_MAX);
    failed.output.tail = "t".repeat(2_048);
    let failed = Answer::from(failed);
    assert_fits(failed.kind(), &failed.to_bytes());
}

fn assert_fits(kind: &str, bytes: &[u8]) {
    let (found, most) = (bytes.len(), bytes_max(kind));
    assert!(found <= most, "{kind} takes {found} of {most} bytes");
}

/// The longest names that there are.
fn names() -> impl Iterator<Item = ServerName> {
    (0..SERVERS).map(|i| format!("{}{i:04}", "s".repeat(59)).parse().unwrap())
}

fn release() -> Release {
    Release {
        version: "2.4.0-build.1234".parse().unwrap(),
        sha256: sha256(b"artifact"),
    }
}

fn planned_server(server: ServerName) -> PlannedServer {
    let name = |text: &str| text.parse().unwrap();
    PlannedServer {
        machine: server.as_str().parse().unwrap(),
        server,
        address: "checkout-0001.production.example.com:8080".to_owned(),
        balancers: vec![name("lb1"), name("lb2")],
        previous: Some(release()),
        previous_tests: None,
        up: true,
    }
}

fn entry_line(planned: &PlannedServer) -> String {
    let PlannedServer {
        server,
        machine,
        address,
        ..
    } = planned;
    format!("{{ name = \"{server}\", machine = \"{machine}\", address = \"{address}\" }},\n")
}
