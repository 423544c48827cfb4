//! Decisions about requests, plans and votes.

use super::base::*;
use super::watches;
use poolshift_events::*;

pub(crate) fn all() -> Vec<Decision> {
    let mut decisions = asked();
    decisions.push(planned(plan()).into());
    decisions.push(planned(watched_plan()).into());
    decisions.extend(votes());
    decisions.extend(super::gates::all());
    decisions
}

pub(crate) fn build() -> Build {
    Build {
        controller: "https://jenkins.example/".to_owned(),
        job: "checkout/main".to_owned(),
        number: 42,
        url: Some("https://jenkins.example/job/checkout/job/main/42/".to_owned()),
    }
}

pub(crate) fn commit() -> Commit {
    Commit {
        repo: "https://git.example/checkout.git".to_owned(),
        sha: "9d3e0a5571c420e76f0d6c5a1d0b4c629d3e0a55".to_owned(),
        committed_at: Some(time(0)),
    }
}

pub(crate) fn change() -> Change {
    Change {
        ticket: Some("CHG-1042".to_owned()),
        reason: Some("faster basket".to_owned()),
    }
}

pub(crate) fn claims() -> Vec<Claim> {
    let claim = |person, name| Claim {
        person,
        name_sha256: digest(name),
    };
    vec![claim(Some(person()), "jane"), claim(None, "somebody")]
}

pub(crate) fn requested() -> RolloutRequested {
    RolloutRequested {
        rollout: rollout(),
        key: "checkout-main-42".to_owned(),
        sender: "jenkins".to_owned(),
        entry_sha256: digest("name = \"checkout\"\n"),
        version: version(),
        artifact: RequestedArtifact {
            url: Some(artifact().url),
            sha256: artifact().sha256,
        },
        tests: None,
        requested_by: Actor {
            kind: ActorKind::Job,
            id: "https://jenkins.example/job/checkout/job/main/".to_owned(),
        },
        proven: true,
        claims: claims(),
        build: Some(build()),
        commit: Some(commit()),
        change: Some(change()),
        trust: Trust::Full,
        content: digest("what was asked for"),
    }
}

fn asked() -> Vec<Decision> {
    let bare = RolloutRequested {
        sender: "cli".to_owned(),
        artifact: RequestedArtifact {
            url: None,
            sha256: artifact().sha256,
        },
        proven: false,
        claims: vec![],
        build: None,
        commit: None,
        change: None,
        trust: Trust::Low,
        ..requested()
    };
    vec![
        requested().into(),
        bare.into(),
        RolloutRejected {
            rollout: rollout(),
            reason: RejectedBecause::Outdated,
            detail: "build 43 of the same job waits".to_owned(),
        }
        .into(),
        Queued {
            rollout: rollout(),
            behind: other_rollout(),
            until: time(3_600_000),
        }
        .into(),
        Superseded {
            rollout: other_rollout(),
            by: rollout(),
        }
        .into(),
    ]
}

fn planned(plan: Plan) -> RolloutPlanned {
    let plan = Sealed::new(plan).unwrap();
    RolloutPlanned {
        rollout: rollout(),
        digest: plan.digest(),
        plan,
    }
}

pub(crate) fn plan() -> Plan {
    let entry = "name = \"checkout\"\n".to_owned();
    let planned = |server, previous, up| PlannedServer {
        server,
        machine: machine(),
        address: "10.1.0.1:8080".to_owned(),
        balancers: vec![balancer()],
        previous,
        previous_tests: None,
        up,
    };
    Plan {
        rollout: rollout(),
        target: target(),
        version: version(),
        artifact: artifact(),
        tests: None,
        entry_sha256: digest(&entry),
        entry,
        servers: vec![
            planned(server(), Some(previous()), true),
            planned(other_server(), None, false),
        ],
        batches: vec![vec![server()], vec![other_server()]],
        floor: 1,
        before: vec![],
        after: vec![],
        gates: vec![Gate {
            id: "approval-1".to_owned(),
            kind: GateKind::Approval,
            count: 1,
            from: words(&["release-managers"]),
            until: time(14_400_000),
            promotion: None,
            windows: vec![],
        }],
        timeouts_ms: timeouts(),
        baseline: None,
        no_way_back: vec![other_server()],
        brain: 1,
    }
}

/// Of a service whose servers are watched when they are back.
fn watched_plan() -> Plan {
    Plan {
        timeouts_ms: Timeouts {
            watch: 195_000,
            ..timeouts()
        },
        baseline: Some(watches::requests(90_000, 812, 3)),
        ..plan()
    }
}

fn timeouts() -> Timeouts {
    Timeouts {
        start_within: 10_000,
        fetch: 300_000,
        drain: 60_000,
        install: 120_000,
        check: 60_000,
        test: 300_000,
        restore: 30_000,
        watch: 0,
        margin: 5_000,
        person_wait: 86_400_000,
    }
}

fn votes() -> Vec<Decision> {
    let gate = || "approval-1".to_owned();
    let given = ApprovalGiven {
        rollout: rollout(),
        gate: gate(),
        digest: digest("the plan"),
        person: person(),
        roles: words(&["release-managers"]),
        policy_sha256: digest("the policy"),
        via: Via {
            kind: "cli".to_owned(),
            reference: Some("127.0.0.1".to_owned()),
        },
        reason: Some("looked at staging".to_owned()),
        ticket: Some("CHG-1042".to_owned()),
        expires_at: time(14_400_000),
    };
    vec![
        given.into(),
        ApprovalRefused {
            rollout: rollout(),
            gate: gate(),
            person: person(),
            why: VoteRefusedBecause::OwnRequest,
        }
        .into(),
        ApprovalExpired {
            rollout: rollout(),
            gate: gate(),
        }
        .into(),
    ]
}
