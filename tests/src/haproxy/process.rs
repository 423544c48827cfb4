//! The process of one HAProxy, and its admin socket.

use super::Layout;
use anyhow::{Context, Result, bail, ensure};
use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use std::fs;
use std::process::Stdio;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio::process::{Child, Command};
use tokio::time::{Instant, sleep, timeout};

/// Long, because the stage may share its machine with a build.
const DEADLINE: Duration = Duration::from_secs(30);

/// A socket that changes hands in a reload may leave a question without an answer.
const ANSWER: Duration = Duration::from_secs(2);

/// A master that has just started loses the signal to reload, though its worker answers already
/// (tried on HAProxy 2.6.12, about once in thirty); so it is told again.
const REPEAT: Duration = Duration::from_millis(500);

/// HAProxy announces neither its first answer nor a server's first check.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// A running HAProxy; it is killed when this is dropped.
#[derive(Debug)]
pub struct Haproxy {
    /// What it does.
    pub layout: Layout,
    child: Option<Child>,
}

impl Haproxy {
    /// Writes the configuration, starts HAProxy, and returns when it has found all servers UP.
    ///
    /// # Errors
    /// When HAProxy refuses the configuration or a server is not UP in time.
    pub async fn start(layout: Layout) -> Result<Self> {
        fs::create_dir_all(&layout.folder)
            .with_context(|| format!("cannot make {}", layout.folder.display()))?;
        let mut haproxy = Self {
            layout,
            child: None,
        };
        haproxy.start_again().await?;
        haproxy.all_up(DEADLINE).await?;
        Ok(haproxy)
    }

    /// Starts it again after [`Self::kill`] or [`Self::stop`], with the configuration as the layout
    /// says now; returns when its admin socket answers.
    ///
    /// # Errors
    /// When it runs, or HAProxy refuses the configuration.
    pub async fn start_again(&mut self) -> Result<()> {
        ensure!(
            self.child.is_none(),
            "{} runs already: stop it first",
            self.layout.name
        );
        let config = self.layout.folder.join("haproxy.cfg");
        fs::write(&config, self.layout.config()).context("cannot write the configuration")?;
        let log = fs::File::options()
            .create(true)
            .append(true)
            .open(self.layout.folder.join("haproxy.log"))
            .context("cannot open the log")?;
        let child = Command::new("haproxy")
            .args(["-W", "-db", "-f"])
            .arg(&config)
            .stdin(Stdio::null())
            .stdout(log.try_clone().context("cannot open the log")?)
            .stderr(log)
            // Master and worker in a group of their own, so that both can be killed at once.
            .process_group(0)
            .spawn()
            .context("cannot start haproxy")?;
        self.child = Some(child);
        self.answering().await
    }

    /// Sends one command and returns the whole answer, without the empty line at its end.
    ///
    /// # Errors
    /// When the socket does not answer in time. HAProxy's own refusals are answers.
    pub async fn admin(&self, command: &str) -> Result<String> {
        let path = self.layout.admin_socket();
        let talk = async {
            let mut socket = UnixStream::connect(&path).await?;
            socket.write_all(format!("{command}\n").as_bytes()).await?;
            let mut answer = String::new();
            socket.read_to_string(&mut answer).await?;
            std::io::Result::Ok(answer)
        };
        let answer = timeout(DEADLINE, talk)
            .await
            .with_context(|| format!("{} does not answer `{command}`", path.display()))?
            .with_context(|| format!("cannot talk to {}", path.display()))?;
        Ok(answer.trim_end_matches('\n').to_owned())
    }

    /// Waits until every server is UP by its check.
    ///
    /// # Errors
    /// When that does not come within `deadline`; says how they stand.
    pub async fn all_up(&self, deadline: Duration) -> Result<()> {
        let until = Instant::now() + deadline;
        loop {
            let down = self.not_up().await?;
            if down.is_empty() {
                return Ok(());
            }
            if Instant::now() > until {
                bail!("{}: not UP in time: {}", self.layout.name, down.join(", "));
            }
            sleep(LOOK_EVERY).await;
        }
    }

    /// Saves the servers' state into the file that the next start loads.
    ///
    /// # Errors
    /// When HAProxy does not answer or the disk refuses.
    pub async fn save_state(&self) -> Result<()> {
        let state = self.admin("show servers state").await?;
        let path = self.layout.state_file();
        let fresh = path.with_extension("new");
        fs::write(&fresh, state + "\n")
            .and_then(|()| fs::rename(&fresh, &path))
            .with_context(|| format!("cannot write {}", path.display()))
    }

    /// Lets it load its configuration anew, as the layout says now; customers should not notice.
    /// Returns when a new worker answers. Does not save the state before.
    ///
    /// # Errors
    /// When no new worker comes.
    pub async fn reload(&self) -> Result<()> {
        let config = self.layout.folder.join("haproxy.cfg");
        fs::write(&config, self.layout.config()).context("cannot write the configuration")?;
        let before = self.worker().await?;
        let master = self.pid().context("it does not run")?;
        let until = Instant::now() + DEADLINE;
        let mut told = None;
        // The old worker may answer a last time, and the socket changes hands in between.
        while !self.worker().await.is_ok_and(|now| now != before) {
            ensure!(
                Instant::now() < until,
                "{} did not reload in time",
                self.layout.name
            );
            if told.is_none_or(|told: Instant| told.elapsed() > REPEAT) {
                kill_process(master, Signal::USR2).context("cannot signal the master")?;
                told = Some(Instant::now());
            }
            sleep(LOOK_EVERY).await;
        }
        Ok(())
    }

    /// `kill -9` of master and worker: its state in memory and all its connections are gone.
    ///
    /// # Errors
    /// When it does not run.
    pub async fn kill(&mut self) -> Result<()> {
        let group = self.pid().context("it does not run")?;
        kill_process_group(group, Signal::KILL).context("cannot kill it")?;
        self.ended().await
    }

    /// Ends it at once, and with it all connections.
    ///
    /// # Errors
    /// When it does not run or does not end.
    pub async fn stop(&mut self) -> Result<()> {
        let master = self.pid().context("it does not run")?;
        kill_process(master, Signal::TERM).context("cannot stop it")?;
        self.ended().await
    }

    /// Leaves it running when this is dropped.
    pub fn stay(&mut self) {
        self.child = None;
    }

    async fn ended(&mut self) -> Result<()> {
        if let Some(mut child) = self.child.take() {
            timeout(DEADLINE, child.wait())
                .await
                .context("it does not end")??;
        }
        Ok(())
    }

    async fn answering(&mut self) -> Result<()> {
        let until = Instant::now() + DEADLINE;
        while self.worker().await.is_err() {
            let child = self.child.as_mut().context("it does not run")?;
            let ended = child.try_wait().context("cannot look after haproxy")?;
            if ended.is_some() || Instant::now() > until {
                let log = self.layout.folder.join("haproxy.log");
                let text = fs::read_to_string(&log).unwrap_or_default();
                bail!("{} does not start; its log: {text}", self.layout.name);
            }
            sleep(LOOK_EVERY).await;
        }
        Ok(())
    }

    /// The worker's process id, by its own word.
    async fn worker(&self) -> Result<String> {
        let info = timeout(ANSWER, self.admin("show info"))
            .await
            .context("no answer")??;
        info.lines()
            .find_map(|line| line.strip_prefix("Pid: "))
            .map(str::to_owned)
            .with_context(|| format!("`show info` names no Pid: {info}"))
    }

    /// Servers of the probe that are not UP by a finished check, each with its status.
    async fn not_up(&self) -> Result<Vec<String>> {
        let probe = format!("{}_probe", self.layout.service);
        let stat = self.admin("show stat").await?;
        let rows = stat.lines().map(|line| line.split(',').collect::<Vec<_>>());
        Ok(rows
            .filter(|row| row.len() > 36 && row[0] == probe && row[1] != "BACKEND")
            // Before its first check a server counts as UP; column 36 is what that check found.
            .filter(|row| row[17] != "UP" || row[36].is_empty() || row[36].starts_with('*'))
            .map(|row| format!("{} {}", row[1], row[17]))
            .collect())
    }

    fn pid(&self) -> Option<Pid> {
        let id = self.child.as_ref()?.id()?;
        Pid::from_raw(i32::try_from(id).ok()?)
    }
}

impl Drop for Haproxy {
    fn drop(&mut self) {
        if let Some(group) = self.pid() {
            // It may have ended by itself.
            let _ = kill_process_group(group, Signal::KILL);
        }
    }
}
