//! Records of the stream of commands: one of each kind of work, and the idle one.

use super::Sample;
use super::base::*;
use super::watches;
use poolshift_events::*;

pub(crate) fn samples() -> Vec<Sample> {
    let mut samples: Vec<Sample> = works()
        .into_iter()
        .chain(super::fleet::works())
        .map(|(form, step, work)| {
            let name = format!("command.{}{form}", work.kind());
            record(name, CommandRecord::Command(Box::new(command(step, work))))
        })
        .collect();
    samples.push(record("command.idle".to_owned(), idle()));
    samples.push(record("command.repair".to_owned(), repair()));
    samples.push(record("command.drain.form-2".to_owned(), by_itself()));
    samples
}

/// A command that takes a server out.
pub(crate) fn drain() -> Command {
    command("drain", Work::Drain(drain_work()))
}

fn record(name: String, value: CommandRecord) -> Sample {
    Sample::new(
        name,
        value,
        CommandRecord::to_bytes,
        CommandRecord::from_bytes,
    )
}

fn command(step: &str, work: Work) -> Command {
    Command {
        id: command_id(step),
        target: target(),
        server: server(),
        machine: machine(),
        rollout: RolloutRef::Rollout(rollout()),
        epoch: 7,
        seq: 12,
        attempt: 1,
        issued_at: time(0),
        start_within_ms: 10_000,
        timeout_ms: 60_000,
        deadline_at: time(70_000),
        own: None,
        plan_digest: Some(digest("the plan")),
        traceparent: Some("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".to_owned()),
        balancers: vec![Balancer {
            name: balancer(),
            testers: "http://10.0.0.11:8081".to_owned(),
        }],
        online: "checkout".to_owned(),
        maintenance: "checkout_maintenance".to_owned(),
        line: "web1".to_owned(),
        work,
    }
}

fn idle() -> CommandRecord {
    CommandRecord::Idle(Idle {
        target: target(),
        server: server(),
        machine: machine(),
        epoch: 7,
        seq: 13,
        balancers: vec![Balancer {
            name: balancer(),
            testers: "http://10.0.0.11:8081".to_owned(),
        }],
        online: "checkout".to_owned(),
        maintenance: "checkout_maintenance".to_owned(),
        line: "web1".to_owned(),
    })
}

/// A server without a load balancer in front.
fn by_itself() -> CommandRecord {
    let own = Own {
        argv: words(&["/srv/mailer/pause"]),
        into: "/srv/mailer".to_owned(),
    };
    CommandRecord::Command(Box::new(Command {
        own: Some(own),
        balancers: vec![],
        online: String::new(),
        maintenance: String::new(),
        ..drain()
    }))
}

fn repair() -> CommandRecord {
    let id = CommandId {
        rollout: RolloutRef::Repair,
        ..command_id("restore")
    };
    let work = Work::Restore(Restore {
        expect: None,
        must_be_up: false,
    });
    CommandRecord::Command(Box::new(Command {
        id,
        rollout: RolloutRef::Repair,
        plan_digest: None,
        traceparent: None,
        ..command("restore", work)
    }))
}

fn works() -> Vec<(&'static str, &'static str, Work)> {
    let restore = Restore {
        expect: Some(release()),
        must_be_up: true,
    };
    let hold = Hold {
        reason: "its tests failed".to_owned(),
    };
    vec![
        ("", "fetch", Work::Fetch(fetch())),
        ("", "drain", Work::Drain(drain_work())),
        ("", "install", Work::Install(install())),
        (".form-2", "back-install", Work::Install(install_back())),
        (".form-3", "install", Work::Install(install_stopped())),
        ("", "check-1", Work::Check(check())),
        ("", "test", Work::Test(test())),
        ("", "restore", Work::Restore(restore)),
        ("", "hold", Work::Hold(hold)),
        ("", "watch", Work::Watch(watches::work())),
        (".form-2", "watch", Work::Watch(watches::alone())),
        (".form-3", "watch", Work::Watch(watches::timed())),
    ]
}

pub(crate) fn fetch() -> Fetch {
    Fetch {
        artifact: artifact(),
        tests: None,
        version: version(),
        into: "/srv/checkout".to_owned(),
        prove: None,
        credentials_name: Some("artifacts".to_owned()),
    }
}

fn drain_work() -> Drain {
    Drain {
        pinned_ms: 5_000,
        then: Then::Fail,
        floor: 2,
        members: words(&["web1", "web2", "web3", "web4"]),
    }
}

fn install() -> Install {
    Install {
        method: InstallKind::Archive,
        artifact: artifact(),
        version: version(),
        into: "/srv/checkout".to_owned(),
        argv: vec![],
        stop: vec![],
        restart: words(&["systemctl", "restart", "checkout"]),
        prove: Prove::Http {
            url: "http://127.0.0.1:8080/version".to_owned(),
        },
        keep: 3,
        purpose: Purpose::Forward,
    }
}

fn install_back() -> Install {
    Install {
        method: InstallKind::Command,
        argv: words(&["msiexec", "/i", "C:\\checkout\\setup.msi", "/qn"]),
        prove: Prove::Command {
            argv: words(&["checkout.exe", "--version"]),
        },
        purpose: Purpose::Back,
        ..install()
    }
}

/// Where the files of a running program cannot be moved.
fn install_stopped() -> Install {
    Install {
        into: "C:\\services\\checkout".to_owned(),
        stop: words(&["net", "stop", "checkout"]),
        restart: words(&["net", "start", "checkout"]),
        ..install()
    }
}

fn expect() -> Expect {
    Expect {
        server: "web1".to_owned(),
        version: Some(version()),
    }
}

pub(crate) fn check() -> Check {
    Check {
        direct: None,
        header: "x-poolshift-server".to_owned(),
        answered_by: "x-served-by".to_owned(),
        probes: vec![
            Probe::Http {
                path: "/health".to_owned(),
                status: 200,
                body: Some("2.4.0".to_owned()),
                header: Some(("x-version".to_owned(), "2.4.0".to_owned())),
            },
            Probe::Tcp {
                address: "10.1.0.1:8080".to_owned(),
            },
            Probe::Command {
                argv: words(&["check-queue", "--max", "10"]),
            },
        ],
        in_a_row: 3,
        interval_ms: 1_000,
        probe_timeout_ms: 2_000,
        expect: expect(),
    }
}

pub(crate) fn test() -> Test {
    Test {
        suites: vec![Suite {
            name: "smoke".to_owned(),
            argv: words(&["nunit-console", "Smoke.dll", "-xml=result.xml"]),
            results: "result.xml".to_owned(),
            at_least: 5,
            timeout_ms: 300_000,
            env_names: words(&["SMOKE_TOKEN"]),
        }],
        into: "/srv/checkout".to_owned(),
        tests: None,
        url: "http://10.0.0.11:8081".to_owned(),
        header: "x-poolshift-server".to_owned(),
        answered_by: "x-served-by".to_owned(),
        expect: expect(),
    }
}
