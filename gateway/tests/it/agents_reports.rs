//! What an agent may report.

use events::{
    AgentSeen, Answer, CommandStarted, Digest, DriftSeen, FailedBecause, Failure, FetchFailed,
    Fetched, ReportOutcome, ServerRuns, WireReport, sha256,
};

use crate::house::{House, idle, problem};
use crate::machine::{Machine, report, wire};

async fn house() -> (House, String) {
    let house = House::open().await;
    house
        .command(&[idle("web1", "srv-101", 1), idle("web2", "srv-102", 1)])
        .await;
    let token = Machine::new("srv-101", 1).quick_token(&house).await;
    (house, token)
}

fn fetched(server: &str) -> Fetched {
    let digest: Digest = sha256(b"1.1");
    Fetched {
        command: format!("repair/{server}/fetch/1").parse().unwrap(),
        sha256: digest,
        bytes: 3,
        is_well: None,
        took_ms: 1,
    }
}

async fn outcomes(house: &House, token: &str, reports: Vec<WireReport>) -> Vec<ReportOutcome> {
    let answer = report(house, token, reports).await;
    assert_eq!(answer.status(), 200);
    answer.json().await.unwrap()
}

#[tokio::test]
async fn reports_are_durable_in_their_order_with_the_ids_that_the_agent_gave() {
    let (house, token) = house().await;
    let started = wire(CommandStarted {
        command: "repair/web1/fetch/1".parse().unwrap(),
    });
    let mut done = wire(fetched("web1"));
    done.traceparent = Some("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".to_owned());
    let sent = vec![started.clone(), done.clone()];
    let taken = outcomes(&house, &token, sent.clone()).await;
    assert!(taken.iter().all(|one| one.taken), "{taken:?}");
    let said = house.said().await;
    let ids: Vec<_> = said.iter().map(|(envelope, _)| envelope.id).collect();
    assert_eq!(ids, [started.id.as_uuid(), done.id.as_uuid()]);
    let (envelope, _) = &said[1];
    assert_eq!(envelope.actor.id, "srv-101");
    assert_eq!(envelope.source.process, "agent");
    assert_eq!(envelope.reported_at, done.reported_at);
    assert_eq!(envelope.traceparent, done.traceparent);
    assert_eq!(envelope.command, Some(fetched("web1").command));
}

#[tokio::test]
async fn a_report_about_another_machines_server_is_refused_and_the_others_are_taken() {
    let (house, token) = house().await;
    let sent = vec![wire(fetched("web2")), wire(fetched("web1"))];
    let outcomes = outcomes(&house, &token, sent).await;
    assert!(!outcomes[0].taken);
    let why = outcomes[0].why.as_deref().unwrap();
    assert_eq!(why, "production/checkout/web2 is not on srv-101");
    assert!(outcomes[1].taken);
    assert_eq!(house.said().await.len(), 1);
}

#[tokio::test]
async fn an_agent_says_nothing_that_is_another_workers_to_say() {
    let (house, token) = house().await;
    let drift = Answer::DriftSeen(DriftSeen {
        server: "web1".parse().unwrap(),
        balancer: None,
        wanted: "a".to_owned(),
        found: "b".to_owned(),
    });
    let mut ask = wire(fetched("web1"));
    ask.kind = "poolshift.ask.steer".to_owned();
    let mut unknown = wire(fetched("web1"));
    unknown.kind = "poolshift.from-the-future".to_owned();
    let sent = vec![wire(drift), ask, unknown];
    let outcomes = outcomes(&house, &token, sent).await;
    assert!(outcomes.iter().all(|one| !one.taken && one.why.is_some()));
    assert!(house.said().await.is_empty());
}

#[tokio::test]
async fn an_agent_reports_what_runs_on_its_own_machine_only() {
    let (house, token) = house().await;
    let seen = |machine: &str, server: &str| {
        wire(AgentSeen {
            machine: machine.parse().unwrap(),
            servers: vec![ServerRuns {
                server: server.parse().unwrap(),
                release: None,
            }],
            agent_version: "0.1.0".to_owned(),
        })
    };
    let sent = vec![
        seen("srv-101", "web1"),
        seen("srv-102", "web2"),
        seen("srv-101", "web2"),
    ];
    let taken: Vec<bool> = outcomes(&house, &token, sent)
        .await
        .iter()
        .map(|one| one.taken)
        .collect();
    assert_eq!(taken, [true, false, false]);
}

#[tokio::test]
async fn a_report_above_its_size_is_refused() {
    let (house, token) = house().await;
    let failed = FetchFailed {
        command: fetched("web1").command,
        failure: Failure {
            reason: FailedBecause::Unreachable,
            detail: "x".repeat(65 * 1024),
        },
    };
    let outcomes = outcomes(&house, &token, vec![wire(failed)]).await;
    assert_eq!(
        outcomes[0].why.as_deref(),
        Some("poolshift.fetch-failed has 66640 bytes, at most 65536 are taken")
    );
}

#[tokio::test]
async fn without_a_token_nothing_is_taken() {
    let (house, _) = house().await;
    let answer = report(&house, "nonsense", vec![wire(fetched("web1"))]).await;
    assert_eq!(problem(answer).await.0, 401);
    assert!(house.said().await.is_empty());
}
