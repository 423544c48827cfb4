//! What people and build servers ask for.

use super::base::*;
use super::requests::{build, change, claims, commit};
use poolshift_events::*;

pub(crate) fn all() -> Vec<Ask> {
    let mut asks = vec![
        DefineService {
            entry: "name = \"checkout\"\n".to_owned(),
        }
        .into(),
        request().into(),
        vote(Some("looked at staging"), Some("CHG-1042")).into(),
        vote(None, None).into(),
    ];
    asks.extend(steering());
    asks.extend(gates());
    asks.extend(fleet());
    asks
}

pub(crate) fn request() -> RequestRollout {
    RequestRollout {
        rollout: rollout(),
        key: "checkout-main-42".to_owned(),
        sender: "jenkins".to_owned(),
        version: version(),
        artifact: RequestedArtifact {
            url: Some(artifact().url),
            sha256: artifact().sha256,
        },
        tests: None,
        requested_by: actor(),
        proven: true,
        claims: claims(),
        build: Some(build()),
        commit: Some(commit()),
        change: Some(change()),
        trust: Trust::Full,
    }
}

fn vote(reason: Option<&str>, ticket: Option<&str>) -> CastVote {
    CastVote {
        rollout: rollout(),
        gate: "approval-1".to_owned(),
        digest: digest("the plan"),
        person: person(),
        roles: words(&["release-managers"]),
        policy_sha256: digest("the policy"),
        via: Via {
            kind: "slack".to_owned(),
            reference: None,
        },
        reason: reason.map(str::to_owned),
        ticket: ticket.map(str::to_owned),
    }
}

fn steering() -> Vec<Ask> {
    vec![
        Steer {
            rollout: rollout(),
            wish: Wish::Pause,
            reason: "customers complain".to_owned(),
        }
        .into(),
        ReleaseServer {
            server: server(),
            since: rollout(),
            reason: "mended by hand".to_owned(),
        }
        .into(),
    ]
}

fn gates() -> Vec<Ask> {
    vec![
        SupersedeHalted {
            rollout: other_rollout(),
            successor: rollout(),
            reason: "2.4.0 mends it".to_owned(),
        }
        .into(),
        OverrideGate {
            rollout: rollout(),
            gate: "window".to_owned(),
            digest: digest("the plan"),
            person: person(),
            roles: words(&["release-managers"]),
            policy_sha256: digest("the policy"),
            via: Via {
                kind: "cli".to_owned(),
                reference: None,
            },
            reason: "nobody can pay".to_owned(),
            ticket: Some("INC-7".to_owned()),
        }
        .into(),
        SetFreeze {
            from: Some(time(60_000)),
            until: time(86_400_000),
            reason: "the sale".to_owned(),
        }
        .into(),
        LiftFreeze {
            freezes: vec![freeze()],
            reason: "sold out".to_owned(),
        }
        .into(),
        ReportPromotion {
            from: staging(),
            rollout: other_rollout(),
            n: 41,
            release: release(),
            succeeded_at: time(0),
        }
        .into(),
    ]
}

fn fleet() -> Vec<Ask> {
    vec![
        Adopt {
            server: server(),
            release: previous(),
        }
        .into(),
        EnrolAgent {
            machine: machine(),
            public_key: "MCowBQYDK2VwAyEA".to_owned(),
        }
        .into(),
        RevokeAgent {
            machine: machine(),
            reason: "the machine was sold".to_owned(),
        }
        .into(),
    ]
}
