//! A service without a load balancer: consumers of a queue, which is a folder of files.

use anyhow::{Context, Result, ensure};
use events::{RolloutFinished, RolloutId, Target};
use poolshift_tests::artifact::{Artifact, Place};
use poolshift_tests::shop::Release;
use poolshift_tests::world::{History, Secret, Trigger, World};
use serde_json::json;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// The consumers, each in a folder of its own below `root`.
pub(crate) struct Mailer {
    pub(crate) root: PathBuf,
    pub(crate) target: Target,
    place: Place,
    builds: u64,
}

/// It takes jobs as long as nobody has paused it, and writes down which version did each.
const CONSUMER: &str = r#"echo "$3" > "$1/running"
while [ -d "$2" ]; do
    for job in "$2"/*; do
        [ ! -e "$1/paused" ] && mv "$job" "$1/job" 2>/dev/null || continue
        echo "$3 ${job##*/}" >> "$1/done"
    done
    sleep 0.05
done
"#;

const RESTART: &str = r#"[ ! -e pid ] || kill "$(cat pid)" 2>/dev/null
setsid sh current/consumer.sh "$PWD" "$PWD/../queue" "$(cat current/VERSION)" </dev/null >/dev/null 2>&1 &
echo $! > pid
"#;

/// Its address begins with the server's name, which is its folder.
const CHECK: &str = r#"home="$(dirname "$0")/${1%:*}"
grep -qx "$2" "$home/running" && [ ! -e "$home/current/sick" ]
"#;

impl Mailer {
    /// Two consumers beside the shop, on its first machine.
    pub(crate) async fn set(world: &World) -> Result<Self> {
        let root = world.root.join("mailer");
        for folder in ["queue", "mail1", "mail2"] {
            fs::create_dir_all(root.join(folder))?;
        }
        for (name, script) in [
            ("restart.sh", RESTART),
            ("check.sh", CHECK),
            ("prove.sh", "kill -0 \"$(cat pid)\" && cat running\n"),
            ("pause.sh", "touch paused\n"),
            ("resume.sh", "rm -f paused\n"),
        ] {
            fs::write(root.join(name), script)?;
        }
        let place = Place::open().await?;
        let mailer = Self {
            target: "stage/mailer".parse()?,
            builds: 1_000,
            place,
            root,
        };
        let entry = mailer.entry(&world.setup.machine_of(0));
        let body = json!({ "target": mailer.target, "entry": entry });
        world.api.post("/catalogue", &body).await?;
        let path = format!("/targets/{}", mailer.target);
        let until = Instant::now() + Duration::from_secs(30);
        while let Err(error) = world.api.get::<serde_json::Value>(&path).await {
            ensure!(
                Instant::now() < until,
                "the entry does not count: {error:#}"
            );
            sleep(Duration::from_millis(20)).await;
        }
        Ok(mailer)
    }

    fn entry(&self, machine: &str) -> String {
        let root = self.root.display();
        format!(
            r#"name = "mailer"
owner = "stage"

[artifact]
url = "{url}"
max_size = "1 MiB"
timeout = "20s"

[install]
kind = "archive"
into = "{root}/{{server}}"
restart = ["sh", "{root}/restart.sh"]
prove = {{ command = ["sh", "{root}/prove.sh"] }}
timeout = "20s"

[check]
command = ["sh", "{root}/check.sh", "{{address}}", "{{version}}"]
in_a_row = 2
interval = "100ms"
timeout = "6s"

[rollout]
batches = [1]
floor = 1
start_within = "6s"
no_way_back = "allow"

[environments.stage]
balancers = []
drain = ["sh", "{root}/pause.sh"]
restore = ["sh", "{root}/resume.sh"]
servers = [
  {{ name = "mail1", machine = "{machine}", address = "mail1:1" }},
  {{ name = "mail2", machine = "{machine}", address = "mail2:1" }},
]
"#,
            url = self.place.url("mailer-{version}.tar.gz"),
        )
    }

    /// Asks for a rollout of this version; one that is sick fails its check.
    pub(crate) async fn trigger(
        &mut self,
        world: &World,
        version: &str,
        is_sick: bool,
    ) -> Result<RolloutId> {
        let mut files = vec![
            ("VERSION", version.as_bytes()),
            ("consumer.sh", CONSUMER.as_bytes()),
        ];
        if is_sick {
            files.push(("sick", b""));
        }
        let artifact = Artifact::build(&Release::good(version), &files)?;
        let url = self.place.put(&artifact);
        self.builds += 1;
        let secret = Secret::for_the_stage();
        let trigger = Trigger::new(&secret, &self.target, &artifact, &url, self.builds)?;
        trigger.send(&world.api).await
    }

    pub(crate) async fn finish(
        &self,
        world: &World,
        rollout: RolloutId,
        deadline: Duration,
    ) -> Result<(RolloutFinished, History)> {
        let mut history = History::of(world.api, &self.target);
        let end = world.finish(&mut history, rollout, deadline).await?;
        Ok((end, history))
    }

    /// Puts this many jobs into the queue, one every 20 ms, numbered from `first`.
    pub(crate) async fn work(&self, first: u32, count: u32) -> Result<()> {
        for number in first..first + count {
            fs::write(self.root.join(format!("queue/{number}")), "")?;
            sleep(Duration::from_millis(20)).await;
        }
        Ok(())
    }

    /// Which version did which job, when the queue is empty and so many have been done: by consumer.
    pub(crate) async fn done(&self, count: usize, deadline: Duration) -> Result<Vec<String>> {
        let until = Instant::now() + deadline;
        let read = |path: &Path| fs::read_to_string(path).unwrap_or_default();
        loop {
            let is_empty = fs::read_dir(self.root.join("queue"))?.next().is_none();
            let lines = ["mail1", "mail2"].map(|name| read(&self.root.join(name).join("done")));
            let done: Vec<String> = lines.concat().lines().map(str::to_owned).collect();
            if is_empty && done.len() >= count {
                return Ok(done);
            }
            ensure!(
                Instant::now() < until,
                "{} of {count} jobs are done",
                done.len()
            );
            sleep(Duration::from_millis(20)).await;
        }
    }
}

impl Drop for Mailer {
    /// Consumers end when their queue is gone.
    fn drop(&mut self) {
        let gone = fs::remove_dir_all(self.root.join("queue")).context("the queue stays");
        if let Err(error) = gone {
            eprintln!("{error:#}");
        }
    }
}
