//! Commands, with the parts that a test does not care about filled in.

use std::path::Path;

use events::{
    Artifact, Command, CommandId, Expect, Fetch, Install, InstallKind, Prove, Purpose, RolloutRef,
    ServerName, Suite, Test, Timestamp, Work, sha256,
};

pub(crate) fn artifact(url: &str, bytes: &[u8]) -> Artifact {
    Artifact {
        url: url.to_owned(),
        sha256: sha256(bytes),
        max_bytes: 10 * 1024 * 1024,
    }
}

pub(crate) fn fetch(url: &str, bytes: &[u8], into: &Path) -> Fetch {
    Fetch {
        artifact: artifact(url, bytes),
        version: "1.0".parse().expect("a version"),
        tests: None,
        into: into.display().to_string(),
        prove: None,
        credentials_name: None,
    }
}

/// An installation whose restart makes the service run what `current` has, and whose service says
/// what runs. By archive; a test that wants a command changes `method` and `argv`.
pub(crate) fn install(url: &str, bytes: &[u8], into: &Path, version: &str) -> Install {
    Install {
        method: InstallKind::Archive,
        artifact: artifact(url, bytes),
        version: version.parse().expect("a version"),
        into: into.display().to_string(),
        argv: Vec::new(),
        stop: Vec::new(),
        restart: words(&["cp", "current/VERSION", "running"]),
        prove: Prove::Command {
            argv: words(&["cat", "running"]),
        },
        keep: 3,
        purpose: Purpose::Forward,
    }
}

/// A test run of one suite: a shell script of the test's own, which writes `results.xml`.
pub(crate) fn test(url: &str, into: &Path, script: &str) -> Test {
    Test {
        suites: vec![suite("smoke", script)],
        tests: None,
        into: into.display().to_string(),
        url: url.to_owned(),
        header: "x-poolshift-server".to_owned(),
        answered_by: "x-answered-by".to_owned(),
        expect: Expect {
            server: "web1".to_owned(),
            version: Some("1.0".parse().expect("a version")),
        },
    }
}

pub(crate) fn suite(name: &str, script: &str) -> Suite {
    Suite {
        name: name.to_owned(),
        argv: words(&["sh", "-c", script]),
        results: "results.xml".to_owned(),
        at_least: 1,
        timeout_ms: 20_000,
        env_names: vec!["SUITE_KEY".to_owned()],
    }
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|&word| word.to_owned()).collect()
}

/// A command for one server: a step with its attempt, and a number.
pub(crate) fn command_of(
    server: &str,
    (step, attempt): (&str, u32),
    seq: u64,
    work: Work,
) -> Command {
    let name = "0f5a3b52-8a4f-5d2c-9a57-3f1f4a4d6c11";
    let rollout = RolloutRef::Rollout(name.parse().expect("a rollout"));
    let server: ServerName = server.parse().expect("a server");
    Command {
        id: CommandId {
            rollout,
            server: server.clone(),
            step: step.to_owned(),
            attempt,
        },
        target: "production/checkout".parse().expect("a target"),
        line: server.to_string(),
        server,
        machine: "srv-101".parse().expect("a machine"),
        rollout,
        epoch: 1,
        seq,
        attempt,
        issued_at: Timestamp::from_ms(0),
        start_within_ms: 20_000,
        timeout_ms: 20_000,
        deadline_at: Timestamp::FAR,
        own: None,
        plan_digest: None,
        traceparent: Some("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01".to_owned()),
        balancers: Vec::new(),
        online: "checkout".to_owned(),
        maintenance: "checkout_maintenance".to_owned(),
        work,
    }
}

/// Any of them as work.
pub(crate) trait IntoWork {
    fn work(self) -> Work;
}

impl IntoWork for Fetch {
    fn work(self) -> Work {
        Work::Fetch(self)
    }
}

impl IntoWork for Install {
    fn work(self) -> Work {
        Work::Install(self)
    }
}

impl IntoWork for Test {
    fn work(self) -> Work {
        Work::Test(self)
    }
}
