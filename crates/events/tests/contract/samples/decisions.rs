//! Decisions about ownership, the fleet, and the course of a rollout.

use super::base::*;
use super::commands;
use poolshift_events::*;

pub(crate) fn all() -> Vec<Decision> {
    let mut decisions = fleet();
    decisions.extend(steps());
    decisions.extend(course());
    decisions.push(finished(Some(3)).into());
    decisions.push(finished(None).into());
    decisions
}

fn fleet() -> Vec<Decision> {
    let entry = "name = \"checkout\"\n".to_owned();
    vec![
        OwnershipTaken {
            partition: 5,
            base: 40,
        }
        .into(),
        OwnerChanged { epoch: 47 }.into(),
        ServiceDefined {
            sha256: digest(&entry),
            entry,
            by: actor(),
        }
        .into(),
        Adopted {
            server: server(),
            release: previous(),
            by: actor(),
        }
        .into(),
        AgentEnrolled {
            machine: machine(),
            public_key: "MCowBQYDK2VwAyEA".to_owned(),
        }
        .into(),
        AgentRevoked {
            machine: machine(),
            by: actor(),
            reason: "the machine was sold".to_owned(),
        }
        .into(),
    ]
}

fn steps() -> Vec<Decision> {
    vec![
        BatchStarted {
            rollout: rollout(),
            batch: 1,
            servers: vec![server()],
        }
        .into(),
        CommandIssued {
            command: Box::new(commands::drain()),
        }
        .into(),
        StepTimedOut {
            command: command_id("drain"),
            started: false,
            silent: vec![balancer()],
        }
        .into(),
        ServerExcluded {
            rollout: rollout(),
            server: server(),
            why: ExcludedBecause::Gone,
            by: None,
            reason: None,
        }
        .into(),
        ServerReleased {
            server: server(),
            since: rollout(),
            by: actor(),
            reason: "mended by hand".to_owned(),
        }
        .into(),
    ]
}

fn course() -> Vec<Decision> {
    let reason = || "a person's reason".to_owned();
    vec![
        Paused {
            rollout: rollout(),
            by: actor(),
            reason: reason(),
            until: time(86_400_000),
        }
        .into(),
        Resumed {
            rollout: rollout(),
            by: actor(),
            reason: reason(),
        }
        .into(),
        AbortRequested {
            rollout: rollout(),
            by: actor(),
            reason: reason(),
        }
        .into(),
        RetryRequested {
            rollout: rollout(),
            by: actor(),
            reason: reason(),
        }
        .into(),
        Halted {
            rollout: rollout(),
            reason: "web1 failed its tests".to_owned(),
            until: time(86_400_000),
        }
        .into(),
        RollbackStarted {
            rollout: rollout(),
            reason: "web1 failed its tests".to_owned(),
            servers: vec![server()],
        }
        .into(),
    ]
}

fn finished(least_up: Option<u32>) -> RolloutFinished {
    RolloutFinished {
        rollout: rollout(),
        outcome: Outcome::RolledBack,
        servers: vec![
            FinalServer {
                server: server(),
                release: Some(previous()),
                pool: Pool::Online,
            },
            FinalServer {
                server: other_server(),
                release: None,
                pool: Pool::Maintenance,
            },
        ],
        stuck: vec![other_server()],
        left: vec![server()],
        except: vec![other_server()],
        least_up,
        floor: 2,
        held_out_requests: 0,
        cut: 0,
        took_ms: 61_500,
        reason: "web1 failed its tests".to_owned(),
    }
}
