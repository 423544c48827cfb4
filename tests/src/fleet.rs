//! The servers of the shop: how many, where, and in which version.

use crate::http::Connection;
use crate::ports;
use crate::shop::{self, Answer, Home, Release, Settings};
use anyhow::{Context, Result, bail};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::time::{Instant, sleep, timeout};

/// How long a server may take to end, and to listen again: long, because the stage may share its
/// machine with a build.
const RESTART: Duration = Duration::from_secs(30);

/// How often a server is asked whether it is ready: it sends nobody an event.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// Several servers of the shop; they are killed when this is dropped.
#[derive(Debug)]
pub struct Fleet {
    /// All servers, `web1` first.
    pub servers: Vec<Server>,
    program: PathBuf,
    stays: bool,
}

/// One server of the shop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Server {
    /// Its short name.
    pub name: String,
    /// Where it listens.
    pub address: SocketAddr,
    /// Where it lives.
    pub home: Home,
}

impl Fleet {
    /// Makes a home for each of `count` servers in `root`, starts them with this release, and
    /// returns when all are ready. `program` is the binary `shop`.
    ///
    /// # Errors
    /// When one does not start or does not become ready.
    pub async fn start(
        program: &Path,
        root: &Path,
        count: usize,
        release: &Release,
    ) -> Result<Self> {
        let mut fleet = Self {
            servers: vec![],
            program: program.to_owned(),
            stays: false,
        };
        for (place, port) in ports::free(count)?.into_iter().enumerate() {
            let name = format!("web{}", place + 1);
            let address = SocketAddr::from(([127, 0, 0, 1], port));
            let folder = root.join(&name);
            let access_log = Some(folder.join("access.log"));
            let settings = Settings {
                name: name.clone(),
                listen: address,
                access_log,
            };
            let home = Home::create(&folder, &settings)?;
            home.install(release)?;
            fleet.servers.push(Server {
                name,
                address,
                home,
            });
        }
        let all: Vec<&Server> = fleet.servers.iter().collect();
        fleet.restart(&all).await?;
        Ok(fleet)
    }

    /// Restarts these servers all at once, and returns when all are ready.
    ///
    /// # Errors
    /// When one does not start, or is not ready in half a minute.
    pub async fn restart(&self, servers: &[&Server]) -> Result<()> {
        let mut restarts = tokio::task::JoinSet::new();
        for &server in servers {
            let (program, server) = (self.program.clone(), server.clone());
            restarts.spawn(async move {
                shop::restart(&program, &server.home, RESTART).await?;
                server.ready(RESTART).await
            });
        }
        while let Some(result) = restarts.join_next().await {
            result.context("a restart broke off")??;
        }
        Ok(())
    }

    /// The server of this name.
    #[must_use]
    pub fn server(&self, name: &str) -> Option<&Server> {
        self.servers.iter().find(|server| server.name == name)
    }

    /// The command by which an installer restarts the server in `home` (a path, or a placeholder
    /// of the catalogue for it).
    #[must_use]
    pub fn restart_command(&self, home: &str) -> Vec<String> {
        let program = self.program.display().to_string();
        vec![
            program,
            "restart".to_owned(),
            "--home".to_owned(),
            home.to_owned(),
        ]
    }

    /// Leaves the servers running when this is dropped.
    pub fn stay(&mut self) {
        self.stays = true;
    }

    /// Ends all servers politely.
    ///
    /// # Errors
    /// When one does not end.
    pub async fn stop(&self) -> Result<()> {
        for server in &self.servers {
            shop::stop(&server.home, RESTART).await?;
        }
        Ok(())
    }
}

impl Drop for Fleet {
    fn drop(&mut self) {
        if !self.stays {
            self.servers
                .iter()
                .for_each(|server| shop::kill(&server.home));
        }
    }
}

impl Server {
    /// Waits until the server answers its health check.
    ///
    /// # Errors
    /// When it does not within `deadline`; says what it answered last.
    pub async fn ready(&self, deadline: Duration) -> Result<Answer> {
        let until = Instant::now() + deadline;
        loop {
            let why = match timeout(deadline, self.ask("/health")).await {
                Ok(Ok(answer)) if answer.refused.is_none() => return Ok(answer),
                Ok(Ok(answer)) => answer.refused.unwrap_or_default(),
                Ok(Err(error)) => format!("{error:#}"),
                Err(_) => "no answer".to_owned(),
            };
            if Instant::now() > until {
                bail!("{} is not ready in time: {why}", self.name);
            }
            sleep(LOOK_EVERY).await;
        }
    }

    /// Asks the server itself, past all balancers.
    ///
    /// # Errors
    /// When there is no answer, or none of the shop's.
    pub async fn ask(&self, path: &str) -> Result<Answer> {
        let request = format!("GET {path} HTTP/1.1\r\nhost: {}\r\n\r\n", self.name);
        let response = Connection::open(self.address)
            .await?
            .exchange(request.as_bytes())
            .await?;
        serde_json::from_slice(&response.body).context("the answer is not the shop's")
    }
}
