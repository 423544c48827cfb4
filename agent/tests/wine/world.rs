//! A machine with Windows, as far as wine plays one.

use std::ops::{Deref, DerefMut};
use std::path::{Path, PathBuf};
use std::process::{Child, Command as Process, Stdio};
use std::time::{Duration, Instant};

use events::{Answer, Installed};
use tempfile::TempDir;

use crate::support::desk::Desk;
use crate::support::gateway::Gateway;

pub(crate) struct World {
    desk: Desk,
    folder: TempDir,
    agent: Option<Child>,
}

/// A path of this machine as Windows has it.
pub(crate) fn windows(path: &Path) -> String {
    format!("Z:{}", path.display()).replace('/', "\\")
}

/// A program that was built for Windows, as a path of this machine.
pub(crate) fn program(name: &str) -> PathBuf {
    let folder = std::env::var_os("POOLSHIFT_WINDOWS_PROGRAMS");
    let folder = folder.expect("run these tests by `cargo xtask test windows`");
    PathBuf::from(folder).join(name)
}

/// A process under wine.
pub(crate) fn wine(program: &str) -> Process {
    let wine = std::env::var_os("POOLSHIFT_WINE");
    let mut process = Process::new(wine.expect("run these tests by `cargo xtask test windows`"));
    process
        .arg(program)
        .env_remove("DISPLAY")
        .stdin(Stdio::null())
        // Wine's own processes stay, and would keep a pipe open.
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    process
}

/// Runs a program under wine to its end; whether it was good, and what it said.
pub(crate) fn run(program: &str, arguments: &[&str]) -> (bool, String) {
    let said = tempfile::NamedTempFile::new().expect("a file");
    let status = wine(program)
        .args(arguments)
        .stdout(append_to(said.path()))
        .stderr(append_to(said.path()))
        .status()
        .expect("wine");
    let text = std::fs::read(said.path()).expect("the file");
    (
        status.success(),
        String::from_utf8_lossy(&text).into_owned(),
    )
}

fn append_to(file: &Path) -> std::fs::File {
    let mut options = std::fs::OpenOptions::new();
    let file = options.create(true).append(true).open(file);
    file.expect("a file")
}

/// The puppet with these words, as an argument list.
pub(crate) fn puppet(words: &[&str]) -> Vec<String> {
    let puppet = windows(&program("puppet.exe"));
    let words = words.iter().map(|&word| word.to_owned());
    std::iter::once(puppet).chain(words).collect()
}

pub(crate) fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|&word| word.to_owned()).collect()
}

pub(crate) fn installed(answer: Answer) -> Installed {
    match answer {
        Answer::Installed(installed) => installed,
        other => panic!("not installed: {other:?}"),
    }
}

pub(crate) fn not_installed(answer: Answer) -> events::InstallFailed {
    match answer {
        Answer::InstallFailed(failed) => failed,
        other => panic!("not a failed installation: {other:?}"),
    }
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
        let gateway = Gateway::start().await;
        let folder = TempDir::new().expect("a folder");
        let settings = format!(
            "gateway = '{}'\nmachine = 'srv-101'\ndata = '{}'\n",
            gateway.url("/"),
            windows(&folder.path().join("data"))
        );
        std::fs::write(folder.path().join("agent.toml"), settings).expect("settings");
        std::fs::create_dir(folder.path().join("srv")).expect("a folder");
        let world = Self {
            desk: Desk::new(gateway, 60_000),
            folder,
            agent: None,
        };
        world.gateway.known().code = "a-code".to_owned();
        let enrolled = wine(&windows(&program("poolshift-agent.exe")))
            .args(["enrol", "--config", &world.config(), "--code", "a-code"])
            .status();
        assert!(enrolled.expect("wine").success(), "not enrolled");
        world
    }

    /// The agent's settings, as Windows has their path.
    pub(crate) fn config(&self) -> String {
        windows(&self.path("agent.toml"))
    }

    pub(crate) fn start_agent(&mut self) {
        let agent = wine(&windows(&program("poolshift-agent.exe")))
            .args(["run", "--config", &self.config()])
            .stderr(append_to(&self.path("agent.log")))
            .spawn();
        self.agent = Some(agent.expect("wine"));
    }

    /// `kill -9` of the agent.
    pub(crate) fn kill_agent(&mut self) {
        if let Some(mut agent) = self.agent.take() {
            agent.kill().expect("it ran");
            agent.wait().expect("it ran");
        }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The service's folder.
    pub(crate) fn home(&self) -> PathBuf {
        self.path("srv")
    }

    /// The service's folder and what lies in it, as Windows has it.
    pub(crate) fn windows_home(&self, name: &str) -> String {
        windows(&self.home().join(name))
    }

    pub(crate) fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.home().join(name)).unwrap_or_default()
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        std::fs::write(self.home().join(name), text).expect("a file");
    }

    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.path("agent.log")).unwrap_or_default()
    }

    /// Waits until `found` holds; for what no report tells of.
    pub(crate) async fn see(&self, what: &str, found: impl Fn(&Self) -> bool) {
        let deadline = Instant::now() + Duration::from_secs(30);
        while !found(self) {
            assert!(Instant::now() < deadline, "waited 30 s for {what}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Waits until a file that beats as long as a process lives stands still.
    pub(crate) async fn see_still(&self, name: &str) {
        let deadline = Instant::now() + Duration::from_secs(30);
        let mut beats = self.read(name).len();
        loop {
            tokio::time::sleep(Duration::from_millis(300)).await;
            let now = self.read(name).len();
            if now == beats {
                return;
            }
            beats = now;
            assert!(Instant::now() < deadline, "{name} beats on");
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
        self.kill_agent();
        if std::thread::panicking() {
            eprintln!("agent's log:\n{}", self.log());
        }
    }
}
