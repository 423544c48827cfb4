//! Decisions about gates, windows and freezes.

use super::base::*;
use poolshift_events::*;

pub(crate) fn all() -> Vec<Decision> {
    let mut decisions = passing();
    decisions.extend(freezes());
    decisions.push(planned().into());
    decisions.push(
        PromotionSeen {
            from: staging(),
            rollout: other_rollout(),
            n: 41,
            release: release(),
            succeeded_at: time(0),
        }
        .into(),
    );
    decisions.push(
        TakeOverRequested {
            rollout: other_rollout(),
            successor: rollout(),
            by: actor(),
            reason: "2.4.0 mends it".to_owned(),
        }
        .into(),
    );
    decisions
}

fn window() -> Window {
    Window {
        opens_at: time(0),
        closes_at: time(25_200_000),
    }
}

fn planned() -> RolloutPlanned {
    let gate = |id: &str, kind| Gate {
        id: id.to_owned(),
        kind,
        count: 0,
        from: words(&["release-managers"]),
        until: time(259_200_000),
        promotion: None,
        windows: vec![],
    };
    let mut plan = super::requests::plan();
    plan.gates.push(Gate {
        promotion: Some(Promotion {
            from: staging(),
            within_ms: 1_209_600_000,
        }),
        ..gate("promotion", GateKind::Promotion)
    });
    plan.gates.push(Gate {
        windows: vec![window()],
        ..gate("window", GateKind::Window)
    });
    plan.gates.push(gate("freeze", GateKind::Freeze));
    let plan = Sealed::new(plan).unwrap();
    RolloutPlanned {
        rollout: rollout(),
        digest: plan.digest(),
        plan,
    }
}

fn passing() -> Vec<Decision> {
    vec![
        GatesPassed {
            rollout: rollout(),
            promoted_by: Some(other_rollout()),
            window: Some(window()),
            overridden: words(&["freeze"]),
        }
        .into(),
        GateAwaited {
            rollout: rollout(),
            opens_at: Some(time(0)),
        }
        .into(),
        GateOverridden {
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
        OverrideRefused {
            rollout: rollout(),
            gate: "window".to_owned(),
            person: person(),
            why: VoteRefusedBecause::NotPermitted,
        }
        .into(),
    ]
}

fn freezes() -> Vec<Decision> {
    vec![
        FreezeSet {
            freeze: freeze(),
            from: time(60_000),
            until: time(86_400_000),
            by: actor(),
            reason: "the sale".to_owned(),
        }
        .into(),
        FreezeLifted {
            freeze: freeze(),
            by: actor(),
            reason: "sold out".to_owned(),
        }
        .into(),
    ]
}
