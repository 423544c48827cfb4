//! The process of a HAProxy, configured as `poolshift haproxy-config` says.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use poolshift_lb_controller::{HaproxyPools, haproxy_config};
use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio::process::{Child, Command};
use tokio::time::{sleep, timeout};

use super::{GLANCE, PATIENCE, ports, shop::Shop};

pub(crate) struct Haproxy {
    pub(crate) customers: SocketAddr,
    pub(crate) testers: SocketAddr,
    folder: PathBuf,
    child: Option<Child>,
}

impl Haproxy {
    pub(crate) async fn start(folder: &Path, shops: &[Shop], loads_state: bool) -> Self {
        let door = || SocketAddr::from(([127, 0, 0, 1], ports::free()));
        let (customers, testers) = (door(), door());
        let servers: Vec<(String, String)> = shops
            .iter()
            .map(|shop| (shop.name.clone(), shop.address.to_string()))
            .collect();
        let config = haproxy_config(&HaproxyPools {
            target: "production/shop",
            online: "shop",
            maintenance: "shop_maintenance",
            customers: &customers.to_string(),
            testers: &testers.to_string(),
            check_path: "/health",
            check_every_ms: 50,
            servers: &servers,
            admin_socket: &folder.join("admin.sock"),
            stats_socket: &folder.join("stats.sock"),
            state_file: &folder.join("servers.state"),
        });
        let config = if loads_state {
            config
        } else {
            config.replace("load-server-state-from-file global", "")
        };
        std::fs::write(folder.join("haproxy.cfg"), config).unwrap();
        let mut haproxy = Self {
            customers,
            testers,
            folder: folder.to_owned(),
            child: None,
        };
        haproxy.start_again().await;
        for shop in shops {
            haproxy.wait_for("shop_probe", &shop.name, "UP").await;
        }
        haproxy
    }

    pub(crate) async fn start_again(&mut self) {
        assert!(self.child.is_none());
        let log = std::fs::File::create(self.folder.join("haproxy.log")).unwrap();
        let child = Command::new("haproxy")
            .args(["-W", "-db", "-f"])
            .arg(self.folder.join("haproxy.cfg"))
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .process_group(0)
            .spawn()
            .unwrap();
        self.child = Some(child);
        let answers = async {
            while self.pid().await.is_none() {
                sleep(GLANCE).await;
            }
        };
        timeout(PATIENCE, answers).await.unwrap();
    }

    /// `kill -9` of master and worker.
    pub(crate) async fn kill(&mut self) {
        let mut child = self.child.take().unwrap();
        kill_process_group(pid_of(&child), Signal::KILL).unwrap();
        child.wait().await.unwrap();
    }

    /// Returns when a new worker answers. A master that cannot start one at its first try, on a
    /// machine that is too busy, goes on with the old one: it is told again.
    pub(crate) async fn reload(&self) {
        let before = self.pid().await;
        let renewed = async {
            loop {
                let now = self.pid().await;
                if now.is_some() && now != before {
                    return;
                }
                sleep(GLANCE).await;
            }
        };
        tokio::pin!(renewed);
        let told_again = async {
            loop {
                kill_process(pid_of(self.child.as_ref().unwrap()), Signal::USR2).unwrap();
                if timeout(PATIENCE / 4, &mut renewed).await.is_ok() {
                    return;
                }
            }
        };
        timeout(PATIENCE, told_again).await.unwrap();
    }

    /// One command, as a person types it.
    pub(crate) async fn admin(&self, command: &str) -> String {
        self.try_admin(command).await.unwrap()
    }

    /// What `show stat` says in column `status`.
    pub(crate) async fn status(&self, backend: &str, line: &str) -> String {
        let stat = self.admin("show stat").await;
        let rows = stat.lines().map(|line| line.split(',').collect::<Vec<_>>());
        let mut statuses = rows.filter(|row| row[0] == backend && row[1] == line);
        statuses.next().unwrap()[17].to_owned()
    }

    pub(crate) async fn wait_for(&self, backend: &str, line: &str, status: &str) {
        let reached = async {
            while self.status(backend, line).await != status {
                sleep(GLANCE).await;
            }
        };
        let waited = timeout(PATIENCE, reached).await;
        assert!(waited.is_ok(), "{backend}/{line} did not become {status}");
    }

    /// Waits until this many requests run on an online line.
    pub(crate) async fn wait_for_running(&self, line: &str, count: &str) {
        let reached = async {
            loop {
                let stat = self.admin("show stat").await;
                let begin = format!("shop,{line},");
                let row = stat.lines().find(|row| row.starts_with(&begin)).unwrap();
                if row.split(',').nth(4) == Some(count) {
                    return;
                }
                sleep(GLANCE).await;
            }
        };
        timeout(PATIENCE, reached).await.unwrap();
    }

    async fn pid(&self) -> Option<String> {
        let info = self.try_admin("show info").await?;
        let pid = info.lines().find_map(|line| line.strip_prefix("Pid: "))?;
        Some(pid.to_owned())
    }

    async fn try_admin(&self, command: &str) -> Option<String> {
        let mut socket = UnixStream::connect(self.folder.join("admin.sock"))
            .await
            .ok()?;
        let command = format!("{command}\n");
        socket.write_all(command.as_bytes()).await.ok()?;
        let mut answer = String::new();
        socket.read_to_string(&mut answer).await.ok()?;
        Some(answer.trim().to_owned()).filter(|_| !answer.is_empty())
    }
}

impl Drop for Haproxy {
    fn drop(&mut self) {
        if let Some(child) = &self.child {
            let _ = kill_process_group(pid_of(child), Signal::KILL);
        }
    }
}

fn pid_of(child: &Child) -> Pid {
    Pid::from_raw(i32::try_from(child.id().unwrap()).unwrap()).unwrap()
}
