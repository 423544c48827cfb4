//! `deploy/jenkins`: a pipeline asks for a rollout and waits for it, while everything restarts.
//!
//! The library runs in Groovy itself, not in Jenkins: what Jenkins does to a script (CPS, sandbox)
//! is not shown here.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use crate::scene::{ROLLOUT, world};
use events::{Decision, Event};
use poolshift_tests::apt;
use poolshift_tests::artifact::Artifact;
use poolshift_tests::shop::{Behaviour, Release};
use poolshift_tests::world::{Happened, SERVICE, Setup, TOKEN, World};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};
use tokio::time::timeout;

const JOB: &str = "https://jenkins.example/job/shop/job/main/";

/// A build of the job, under way.
struct Build {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
    said: String,
}

impl Build {
    /// Build `number` of the job, or the same one again after a restart of Jenkins.
    fn run(
        world: &World,
        number: u64,
        artifact: &Artifact,
        change: impl FnOnce(&mut Value),
    ) -> Self {
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        let folder = here.join("tests/rollouts/pipeline");
        let mut wanted = json!({
            "env": {
                "BUILD_URL": format!("{JOB}{number}/"),
                "BUILD_NUMBER": number.to_string(),
                "JOB_URL": JOB,
                "JOB_NAME": "shop/main",
                "JENKINS_URL": "https://jenkins.example/",
            },
            "start": 1_764_000_000_000_u64 + number,
            "user": "ann",
            "token": TOKEN,
            "args": {
                "gateway": format!("http://{}/", world.api.public),
                "credentials": "poolshift",
                "service": SERVICE,
                "environment": world.target.environment(),
                "version": artifact.version,
                "sha256": artifact.sha256,
                "unreachable": 1,
                "poll": 2,
            },
        });
        change(&mut wanted);
        let mut child = Command::new("groovy")
            .arg("-cp")
            .arg(folder.join("stubs"))
            .arg(folder.join("build.groovy"))
            .arg(here.join("../deploy/jenkins/vars/poolshiftRollout.groovy"))
            .arg(wanted.to_string())
            .env("JAVA_HOME", java_home())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self {
            child,
            lines,
            said: String::new(),
        }
    }

    /// Waits until it says this.
    async fn until(&mut self, wanted: &str) {
        let looking = async {
            while let Some(line) = self.lines.next_line().await.unwrap() {
                self.said += &format!("{line}\n");
                if line.contains(wanted) {
                    return;
                }
            }
            panic!("it ends without `{wanted}`: {}", self.said);
        };
        let found = timeout(ROLLOUT, looking).await;
        assert!(found.is_ok(), "no `{wanted}` in time");
    }

    async fn end(mut self) -> (bool, String) {
        let rest = async {
            while let Some(line) = self.lines.next_line().await.unwrap() {
                self.said += &format!("{line}\n");
            }
            self.child.wait().await.unwrap().success()
        };
        let good = timeout(ROLLOUT, rest).await.unwrap();
        (good, self.said)
    }

    async fn kill(mut self) {
        timeout(Duration::from_secs(10), self.child.kill())
            .await
            .unwrap()
            .unwrap();
    }
}

/// Where the `java` of this machine lives: Debian's start script of Groovy does not look.
fn java_home() -> PathBuf {
    if let Some(set) = std::env::var_os("JAVA_HOME") {
        return set.into();
    }
    let path = std::env::var_os("PATH").unwrap();
    let java =
        std::env::split_paths(&path).find_map(|folder| folder.join("java").canonicalize().ok());
    java.unwrap().ancestors().nth(2).unwrap().to_owned()
}

fn asked(events: &[Happened]) -> usize {
    let requests = events
        .iter()
        .filter(|one| matches!(&one.event, Event::Decision(Decision::RolloutRequested(_))));
    requests.count()
}

#[tokio::test]
async fn a_pipeline_waits_for_its_rollout_over_restarts_of_both_sides() {
    if Command::new("groovy").arg("--help").output().await.is_err() {
        apt::install("groovy").await.unwrap();
    }
    let root = tempfile::tempdir().unwrap();
    let setup = Setup {
        servers: 2,
        batches: "[1]".to_owned(),
        floor: "0".to_owned(),
        ..Setup::default()
    };
    let mut world = world(root.path(), setup).await;
    let mut history = world.history();

    let artifact = world.publish(&Release::good("1.1.0")).unwrap();
    let mut build = Build::run(&world, 7, &artifact, |_| {});
    build.until("running").await;
    world.serve.kill().await.unwrap();
    build.until("does not answer, again in").await;
    // Jenkins dies as well, and its build goes on from the beginning: the same build asks again.
    build.kill().await;
    let build = Build::run(&world, 7, &artifact, |_| {});
    world.serve.start_again().unwrap();
    let (good, said) = build.end().await;
    assert!(good && said.contains("END succeeded"), "{said}");
    history.read().await.unwrap();
    assert_eq!(asked(&history.events), 1, "{said}");

    let bad = world
        .publish(&Release::good("1.2.0").behaving(Behaviour::Bad))
        .unwrap();
    let (good, said) = Build::run(&world, 8, &bad, |_| {}).end().await;
    assert!(!good && said.contains("ended as rolled_back: "), "{said}");

    let moon = |wanted: &mut Value| wanted["args"]["environment"] = json!("moon");
    let (good, said) = Build::run(&world, 9, &artifact, moon).end().await;
    assert!(
        !good && said.contains("FAILED Poolshift takes no rollout to moon/shop: 404"),
        "{said}"
    );
    assert!(said.contains("apply a catalogue entry"), "{said}");

    let other = |wanted: &mut Value| {
        wanted["env"]["JOB_URL"] = json!("https://jenkins.example/job/shop/job/PR-17/");
        wanted["env"]["BUILD_URL"] = json!("https://jenkins.example/job/shop/job/PR-17/1/");
    };
    let (good, said) = Build::run(&world, 1, &artifact, other).end().await;
    assert!(
        !good && said.contains("403 another job's service"),
        "{said}"
    );
    assert!(!said.contains(TOKEN), "{said}");
}
