//! The world that the samples speak of.

use poolshift_events::{
    Actor, ActorKind, Artifact, BalancerName, CommandId, Digest, FailedBecause, Failure,
    MachineName, Output, PersonId, Release, ReportId, RolloutId, RolloutRef, ServerName, Target,
    Timestamp, Version, sha256,
};

pub(crate) fn target() -> Target {
    "production/checkout".parse().unwrap()
}

pub(crate) fn staging() -> Target {
    "staging/checkout".parse().unwrap()
}

pub(crate) fn freeze() -> ReportId {
    "0198d6f0-0000-7000-8000-000000000007".parse().unwrap()
}

pub(crate) fn server() -> ServerName {
    "web1".parse().unwrap()
}

pub(crate) fn other_server() -> ServerName {
    "web2".parse().unwrap()
}

pub(crate) fn machine() -> MachineName {
    "srv-101".parse().unwrap()
}

pub(crate) fn balancer() -> BalancerName {
    "lb1".parse().unwrap()
}

pub(crate) fn version() -> Version {
    "2.4.0".parse().unwrap()
}

pub(crate) fn digest(of: &str) -> Digest {
    sha256(of.as_bytes())
}

pub(crate) fn rollout() -> RolloutId {
    RolloutId::of(&target(), "jenkins", "checkout-main-42")
}

pub(crate) fn other_rollout() -> RolloutId {
    RolloutId::of(&target(), "cli", "0198d6f0-0000-7000-8000-000000000001")
}

pub(crate) fn command_id(step: &str) -> CommandId {
    CommandId {
        rollout: RolloutRef::Rollout(rollout()),
        server: server(),
        step: step.to_owned(),
        attempt: 1,
    }
}

/// 2026-11-24T20:30:00.000Z and `ms` milliseconds.
pub(crate) fn time(ms: u64) -> Timestamp {
    Timestamp::from_ms(1_795_552_200_000).plus_ms(ms)
}

pub(crate) fn person() -> PersonId {
    "p_4f9k2m".parse().unwrap()
}

pub(crate) fn actor() -> Actor {
    Actor {
        kind: ActorKind::Person,
        id: person().to_string(),
    }
}

pub(crate) fn artifact() -> Artifact {
    Artifact {
        url: "https://artifacts.example/checkout/2.4.0/checkout.tar.gz".to_owned(),
        sha256: digest("artifact 2.4.0"),
        max_bytes: 209_715_200,
    }
}

pub(crate) fn release() -> Release {
    Release {
        version: version(),
        sha256: digest("artifact 2.4.0"),
    }
}

pub(crate) fn previous() -> Release {
    Release {
        version: "2.3.9+build.7".parse().unwrap(),
        sha256: digest("artifact 2.3.9"),
    }
}

pub(crate) fn failure(reason: FailedBecause) -> Failure {
    Failure::new(reason, "what a person needs to know")
}

pub(crate) fn output() -> Output {
    Output {
        sha256: Some(digest("all that was printed")),
        bytes: 5_120,
        truncated: true,
        tail: "password=***\n\u{fc}ber und \"out\"\n".to_owned(),
        masked: 1,
    }
}

pub(crate) fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}
