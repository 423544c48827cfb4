//! Another process: this test program again, told by its environment to play one part.

use std::env;
use std::io::{BufRead as _, BufReader, Lines};
use std::process::{Child, ChildStdout, Command, Stdio};

use poolshift_bus::kafka::Settings;
use poolshift_bus::{Bus, Commit};
use rustix::process::{Pid, Signal, kill_process};

use crate::suite::place::record;

const BROKERS: &str = "BUS_TEST_BROKERS";
const PREFIX: &str = "BUS_TEST_PREFIX";

/// A process that owns partition 0 and commits without end, and says each commit that was
/// acknowledged. It is killed when this is dropped.
pub(crate) struct OtherOwner {
    child: Child,
    said: Lines<BufReader<ChildStdout>>,
}

impl OtherOwner {
    pub(crate) fn of(settings: &Settings) -> Self {
        let mut child = Command::new(env::current_exe().unwrap())
            .args(["--exact", "child::plays_its_part", "--nocapture"])
            .env(BROKERS, &settings.brokers)
            .env(PREFIX, &settings.prefix)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let said = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, said }
    }

    /// The next thing it says; `None` when it has ended.
    pub(crate) fn next(&mut self) -> Option<String> {
        let ours = |line: &String| line.starts_with("committed ") || line.starts_with("ended ");
        self.said.by_ref().map_while(Result::ok).find(ours)
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }
}

impl Drop for OtherOwner {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Does nothing unless this is the other process.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn plays_its_part() {
    let (Ok(brokers), Ok(prefix)) = (env::var(BROKERS), env::var(PREFIX)) else {
        return;
    };
    let mut settings = Settings::new(&brokers);
    settings.prefix = prefix;
    let bus = Bus::connect(&settings).await.unwrap();
    let mut owner = bus.own(0, 0, record("partition/0", "other")).await.unwrap();
    for n in 0_u64.. {
        let value = n.to_string();
        let commit = Commit {
            events: vec![record("target", &value), record("target", &value)],
            commands: vec![record("web1", &value)],
            ..Commit::default()
        };
        if let Err(error) = owner.commit(commit).await {
            println!("ended {error:?}");
            return;
        }
        println!("committed {n}");
    }
}
