//! Commands, as an orchestrator writes them.

use events::{Balancer, Command, CommandId, Drain, Hold, Idle, Restore, RolloutRef, ServerName};
use events::{Fetch, Target, Test, Then, Timestamp, Work};

pub(crate) fn target() -> Target {
    "production/shop".parse().unwrap()
}

pub(crate) fn server(name: &str) -> ServerName {
    name.parse().unwrap()
}

/// A command for a server of the shop on `lb1`.
pub(crate) fn command(
    name: &str,
    (epoch, seq): (u64, u64),
    deadline_at: Timestamp,
    work: Work,
) -> Command {
    let step = work.kind().to_owned();
    let attempt = u32::try_from(seq).unwrap();
    Command {
        id: CommandId {
            rollout: RolloutRef::Repair,
            server: server(name),
            step,
            attempt,
        },
        target: target(),
        server: server(name),
        machine: "machine1".parse().unwrap(),
        rollout: RolloutRef::Repair,
        epoch,
        seq,
        attempt,
        issued_at: Timestamp::from_ms(0),
        start_within_ms: 5_000,
        timeout_ms: 30_000,
        deadline_at,
        own: None,
        plan_digest: None,
        traceparent: None,
        balancers: vec![Balancer {
            name: "lb1".parse().unwrap(),
            testers: "http://127.0.0.1:1".to_owned(),
        }],
        online: "shop".to_owned(),
        maintenance: "shop_maintenance".to_owned(),
        line: name.to_owned(),
        work,
    }
}

pub(crate) fn idle(name: &str, (epoch, seq): (u64, u64)) -> Idle {
    Idle {
        target: target(),
        server: server(name),
        machine: "machine1".parse().unwrap(),
        epoch,
        seq,
        balancers: vec![],
        online: String::new(),
        maintenance: String::new(),
        line: String::new(),
    }
}

pub(crate) fn drain(members: &[&str], floor: u32, pinned_ms: u64, then: Then) -> Work {
    Work::Drain(Drain {
        pinned_ms,
        then,
        floor,
        members: members.iter().map(|line| (*line).to_owned()).collect(),
    })
}

pub(crate) fn restore(must_be_up: bool) -> Work {
    Work::Restore(Restore {
        expect: None,
        must_be_up,
    })
}

pub(crate) fn hold() -> Work {
    Work::Hold(Hold {
        reason: "its tests failed".to_owned(),
    })
}

/// Stands for all that other workers do while the server is out.
pub(crate) fn test(name: &str) -> Work {
    Work::Test(Test {
        suites: Vec::new(),
        tests: None,
        into: "/srv/shop".to_owned(),
        url: "http://127.0.0.1:1".to_owned(),
        header: "x-poolshift-server".to_owned(),
        answered_by: "x-poolshift-answered-by".to_owned(),
        expect: events::Expect {
            server: name.to_owned(),
            version: None,
        },
    })
}

/// Stands for all that leaves the pools alone.
pub(crate) fn fetch() -> Work {
    Work::Fetch(Fetch {
        artifact: events::Artifact {
            url: "http://127.0.0.1:1/shop.tar.gz".to_owned(),
            sha256: events::sha256(b"shop"),
            max_bytes: 1,
        },
        version: "1".parse().unwrap(),
        tests: None,
        into: "/srv/shop".to_owned(),
        prove: None,
        credentials_name: None,
    })
}
