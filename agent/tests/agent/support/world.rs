//! One machine with its agent.

use std::ops::{Deref, DerefMut};
use std::path::{Path, PathBuf};
use std::process::{Child, Command as Process, ExitStatus, Stdio};

use events::{Answer, Command, CommandRecord, Idle};
use tempfile::TempDir;

use super::desk::{Desk, answer};
use super::gateway::Gateway;

pub(crate) struct World {
    desk: Desk,
    folder: TempDir,
    agent: Option<Child>,
    /// Variables that the agent starts with, next to those of the test.
    pub(crate) environment: Vec<(String, String)>,
}

impl World {
    /// A gateway and an enrolled agent that runs.
    pub(crate) async fn start() -> Self {
        let mut world = Self::enrolled().await;
        world.start_agent();
        world
    }

    /// A gateway and an enrolled machine whose agent does not run yet.
    pub(crate) async fn enrolled() -> Self {
        let world = Self::bare().await;
        world.gateway.known().code = "a-code".to_owned();
        assert!(world.enrol("a-code").success());
        world
    }

    /// A gateway and a machine that it does not know.
    pub(crate) async fn bare() -> Self {
        let gateway = Gateway::start().await;
        let folder = TempDir::new().expect("a folder");
        let settings = format!(
            "gateway = \"{}\"\nmachine = \"srv-101\"\ndata = \"{}\"\nsecret_env = [\"DB_KEY\"]\n",
            gateway.url("/"),
            folder.path().join("data").display()
        );
        std::fs::write(folder.path().join("agent.toml"), settings).expect("settings");
        std::fs::create_dir(folder.path().join("srv")).expect("a folder");
        Self {
            desk: Desk::new(gateway, 20_000),
            folder,
            agent: None,
            environment: Vec::new(),
        }
    }

    /// More lines of the agent's settings, before it starts.
    pub(crate) fn configure(&self, more: &str) {
        let file = self.folder.path().join("agent.toml");
        let settings = std::fs::read_to_string(&file).expect("settings");
        std::fs::write(&file, format!("{settings}{more}\n")).expect("settings");
    }

    pub(crate) fn enrol(&self, code: &str) -> ExitStatus {
        self.program()
            .args(["enrol", "--config"])
            .arg(self.folder.path().join("agent.toml"))
            .args(["--code", code])
            .status()
            .expect("the agent's program")
    }

    /// The agent's program.
    pub(crate) fn program(&self) -> Process {
        let mut process = Process::new(env!("CARGO_BIN_EXE_poolshift-agent"));
        process
            .envs(self.environment.iter().cloned())
            .stdin(Stdio::null());
        process
    }

    pub(crate) fn start_agent(&mut self) {
        self.start_agent_within(":");
    }

    /// Starts the agent where this shell script leads.
    pub(crate) fn start_agent_within(&mut self, script: &str) {
        let script = format!("{script}; exec \"$0\" \"$@\"");
        self.spawn(Process::new("sh").args(["-c", &script]));
    }

    /// Starts the agent with its data and its service's folder on a disk of this size, which only
    /// it sees.
    pub(crate) fn start_agent_on_small_disk(&mut self, size: &str) {
        std::fs::create_dir(self.path("small")).expect("a folder");
        let script = format!(
            "cd {} && mount -t tmpfs -o size={size} tmpfs small && cp -r data srv small && \
             mount --bind small/data data && mount --bind small/srv srv && exec \"$0\" \"$@\"",
            self.folder.path().display()
        );
        self.spawn(Process::new("unshare").args(["-rm", "sh", "-c", &script]));
    }

    /// A path as the agent sees it.
    pub(crate) fn seen_by_agent(&self, path: &Path) -> PathBuf {
        let pid = self.agent.as_ref().expect("it runs").id();
        let inside = path.strip_prefix("/").expect("an absolute path");
        Path::new(&format!("/proc/{pid}/root")).join(inside)
    }

    fn spawn(&mut self, process: &mut Process) {
        let log = std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(self.path("agent.log"))
            .expect("a log");
        let process = process
            .arg(env!("CARGO_BIN_EXE_poolshift-agent"))
            .args(["run", "--config"])
            .arg(self.path("agent.toml"))
            .envs(self.environment.iter().cloned())
            .stdin(Stdio::null())
            .stderr(log);
        self.agent = Some(process.spawn().expect("the agent's program"));
    }

    /// `kill -9` of the agent.
    pub(crate) fn kill_agent(&mut self) {
        if let Some(mut agent) = self.agent.take() {
            agent.kill().expect("it ran");
            agent.wait().expect("it ran");
        }
    }

    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("agent.log")).unwrap_or_default()
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// The service's folder.
    pub(crate) fn home(&self) -> PathBuf {
        self.folder.path().join("srv")
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn read(&self, path: &Path) -> String {
        std::fs::read_to_string(path).unwrap_or_default()
    }

    /// Nothing is outstanding for the server of this command any more.
    pub(crate) fn idle_after(&mut self, command: &Command) {
        let seq = self.next_seq();
        let idle = Idle {
            target: command.target.clone(),
            server: command.server.clone(),
            machine: command.machine.clone(),
            epoch: 1,
            seq,
            balancers: vec![],
            online: String::new(),
            maintenance: String::new(),
            line: String::new(),
        };
        self.put(CommandRecord::Idle(idle), 0, 0);
    }

    /// All that was reported, each report once, in the order it came.
    pub(crate) fn answers(&self) -> Vec<Answer> {
        let mut ids = Vec::new();
        let known = self.gateway.known();
        let fresh = known.delivered.iter().filter(|report| {
            let is_new = !ids.contains(&report.id);
            ids.push(report.id);
            is_new
        });
        fresh.filter_map(answer).collect()
    }

    /// Waits until somebody downloads this artifact.
    pub(crate) async fn until_downloading(&self, name: &str) {
        let path = format!("/artifacts/{name}");
        self.gateway
            .until("the download", |known| {
                known.requests.contains(&path).then_some(())
            })
            .await;
    }

    /// Waits until `found` holds; for what no report tells of.
    pub(crate) async fn see(&self, what: &str, found: impl Fn() -> bool) {
        let deadline = std::time::Instant::now() + std::time::Duration::from_secs(30);
        while !found() {
            assert!(
                std::time::Instant::now() < deadline,
                "waited 30 s for {what}; log:\n{}",
                self.log()
            );
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
    }
}

impl Deref for World {
    type Target = Desk;

    fn deref(&self) -> &Desk {
        &self.desk
    }
}

impl DerefMut for World {
    fn deref_mut(&mut self) -> &mut Desk {
        &mut self.desk
    }
}

impl Drop for World {
    fn drop(&mut self) {
        if let Some(mut agent) = self.agent.take() {
            let _killed = agent.kill();
            let _reaped = agent.wait();
        }
        if std::thread::panicking() {
            eprintln!("agent's log:\n{}", self.log());
        }
    }
}
