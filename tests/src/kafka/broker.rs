//! One broker.

use super::{Jars, Layout};
use anyhow::{Context, Result, bail, ensure};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// Long, because a broker that was killed looks through its logs first, perhaps beside a build.
const START: Duration = Duration::from_secs(120);

/// A broker tells its log alone that it serves.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// What it says when it serves.
const SERVES: &str = "Kafka Server started";

/// Starts quickly: no compiler but the first, no collector that wants threads.
const JAVA: [&str; 4] = [
    "-Xmx512m",
    "-Xms128m",
    "-XX:TieredStopAtLevel=1",
    "-XX:+UseSerialGC",
];

/// Runs a program and kills it when our standard input ends, which it does when whoever started us
/// is gone, in whatever way.
const WITH_US: &str = r#"exec 3<&0
"$@" </dev/null 3<&- &
program=$!
(cat <&3 >/dev/null; kill -9 $program 2>/dev/null) &
wait $program
"#;

#[derive(Debug)]
pub(super) struct Broker {
    name: String,
    folder: PathBuf,
    jars: Jars,
    port: u16,
    controller: u16,
    users: Vec<(String, String)>,
    child: Option<Child>,
}

impl Broker {
    /// Writes its files; `ports` are those of all brokers and their controllers.
    pub(super) fn new(
        jars: &Jars,
        layout: &Layout,
        number: usize,
        ports: &[(u16, u16)],
    ) -> Result<Self> {
        let name = format!("broker-{number}");
        let folder = layout.folder.join(&name);
        fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
        let (port, controller) = *ports.get(number).context("a broker without a port")?;
        let broker = Self {
            name,
            folder,
            jars: jars.clone(),
            port,
            controller,
            users: layout.users.clone(),
            child: None,
        };
        let mut text = String::new();
        for (key, value) in broker.properties(layout, number, ports) {
            // Writing to a string cannot fail.
            let _ = writeln!(text, "{key}={value}");
        }
        fs::write(broker.settings(), text).context("cannot write a broker's settings")?;
        fs::write(broker.folder.join("log4j2.xml"), LOG4J).context("cannot write log4j2.xml")?;
        Ok(broker)
    }

    /// Where clients find it.
    pub(super) fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Where its controller is found, which asks nobody.
    pub(super) fn controller(&self) -> String {
        format!("127.0.0.1:{}", self.controller)
    }

    /// Starts it, and waits until it serves.
    pub(super) fn start(&mut self) -> Result<()> {
        ensure!(self.child.is_none(), "{} runs already", self.name);
        if !self.folder.join("data/meta.properties").is_file() {
            self.format()?;
        }
        let log = self.folder.join("log");
        let file = File::options()
            .create(true)
            .append(true)
            .open(&log)
            .with_context(|| format!("cannot open {}", log.display()))?;
        let from = file.metadata().map_or(0, |found| found.len());
        let child = Command::new("sh")
            .args(["-c", WITH_US, "sh", "java"])
            .args(JAVA)
            .arg(format!(
                "-Dlog4j2.configurationFile={}",
                self.folder.join("log4j2.xml").display()
            ))
            .arg("-cp")
            .arg(self.jars.class_path())
            .arg("kafka.Kafka")
            .arg(self.settings())
            .stdin(Stdio::piped())
            .stdout(file.try_clone().context("cannot share a log")?)
            .stderr(file)
            .spawn()
            .context("cannot start a broker")?;
        self.child = Some(child);
        self.serving(from)
    }

    /// `kill -9`.
    pub(super) fn kill(&mut self) -> Result<()> {
        let mut child = self
            .child
            .take()
            .with_context(|| format!("{} does not run", self.name))?;
        drop(child.stdin.take());
        child
            .wait()
            .with_context(|| format!("cannot await {}", self.name))?;
        Ok(())
    }

    fn serving(&mut self, from: u64) -> Result<()> {
        let until = Instant::now() + START;
        loop {
            let said = self.said(from);
            if said.contains(SERVES) {
                return Ok(());
            }
            let ended = self
                .child
                .as_mut()
                .and_then(|child| child.try_wait().ok().flatten());
            if ended.is_some() || Instant::now() > until {
                let lines: Vec<&str> = said.lines().collect();
                let last = lines[lines.len().saturating_sub(20)..].join("\n");
                bail!("{} does not serve; its last words:\n{last}", self.name);
            }
            thread::park_timeout(LOOK_EVERY);
        }
    }

    fn said(&self, from: u64) -> String {
        let mut bytes = Vec::new();
        let read = File::open(self.folder.join("log")).and_then(|mut file| {
            file.seek(SeekFrom::Start(from))?;
            file.read_to_end(&mut bytes)
        });
        // A log that is not there yet says nothing.
        drop(read);
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// Makes its empty disk.
    fn format(&self) -> Result<()> {
        let mut format = java(&self.jars, "kafka.tools.StorageTool");
        format
            .args(["format", "-t", CLUSTER, "-c"])
            .arg(self.settings());
        for (name, password) in &self.users {
            let user = format!("SCRAM-SHA-512=[name={name},password={password}]");
            format.args(["--add-scram", &user]);
        }
        let output = format
            .stdin(Stdio::null())
            .output()
            .context("cannot run java")?;
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(
            output.status.success(),
            "cannot make the disk of {}: {said}",
            self.name
        );
        Ok(())
    }

    fn settings(&self) -> PathBuf {
        self.folder.join("server.properties")
    }

    fn properties(
        &self,
        layout: &Layout,
        number: usize,
        ports: &[(u16, u16)],
    ) -> BTreeMap<String, String> {
        let (port, controller) = ports.get(number).copied().unwrap_or_default();
        let voters = ports.iter().enumerate();
        let voters: Vec<String> = voters
            .map(|(n, (_, port))| format!("{}@127.0.0.1:{port}", n + 1))
            .collect();
        let copies = layout.brokers.min(3);
        let in_sync = if copies == 3 { 2 } else { 1 };
        let plain = [
            ("process.roles", "broker,controller".to_owned()),
            ("node.id", (number + 1).to_string()),
            ("controller.quorum.voters", voters.join(",")),
            (
                "listeners",
                format!("CLIENT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}"),
            ),
            ("advertised.listeners", format!("CLIENT://127.0.0.1:{port}")),
            ("controller.listener.names", "CONTROLLER".to_owned()),
            ("inter.broker.listener.name", "CLIENT".to_owned()),
            (
                "listener.security.protocol.map",
                "CLIENT:PLAINTEXT,CONTROLLER:PLAINTEXT".to_owned(),
            ),
            ("log.dirs", self.folder.join("data").display().to_string()),
            ("auto.create.topics.enable", "false".to_owned()),
            ("broker.session.timeout.ms", "6000".to_owned()),
            ("group.initial.rebalance.delay.ms", "0".to_owned()),
            ("group.min.session.timeout.ms", "1000".to_owned()),
            ("log.index.size.max.bytes", "1048576".to_owned()),
            ("offsets.topic.num.partitions", "4".to_owned()),
            ("offsets.topic.replication.factor", copies.to_string()),
            (
                "transaction.abort.timed.out.transaction.cleanup.interval.ms",
                "1000".to_owned(),
            ),
            ("transaction.state.log.num.partitions", "4".to_owned()),
            (
                "transaction.state.log.replication.factor",
                copies.to_string(),
            ),
            ("transaction.state.log.min.isr", in_sync.to_string()),
        ];
        let plain = plain
            .into_iter()
            .map(|(key, value)| (key.to_owned(), value));
        plain.chain(layout.properties.iter().cloned()).collect()
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        if self.child.is_some() {
            // Nobody is left to be told.
            drop(self.kill());
        }
    }
}

/// A tool of Kafka's.
pub(super) fn java(jars: &Jars, class: &str) -> Command {
    let mut command = Command::new("java");
    command
        .args(JAVA)
        .arg("-cp")
        .arg(jars.class_path())
        .arg(class);
    command
}

/// The id of every cluster of ours.
const CLUSTER: &str = "AAAAAAAAAAAAAAAAAAAAAQ";

const LOG4J: &str = r#"<Configuration>
  <Appenders>
    <Console name="out"><PatternLayout pattern="%d{ISO8601} %p %c{1} %m%n"/></Console>
  </Appenders>
  <Loggers>
    <Root level="WARN"><AppenderRef ref="out"/></Root>
    <Logger name="kafka.server.KafkaRaftServer" level="INFO"/>
  </Loggers>
</Configuration>
"#;
