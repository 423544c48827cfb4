//! A real HAProxy before two servers that are testers' only.

use std::io::Write as _;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use super::PATIENCE;

/// A port below those that the system gives to outgoing connections.
pub(crate) fn free_port() -> u16 {
    use std::sync::atomic::{AtomicU32, Ordering};
    static NEXT: AtomicU32 = AtomicU32::new(0);
    for _ in 0..10_000 {
        let next = std::process::id() * 131 + NEXT.fetch_add(1, Ordering::Relaxed);
        let port = u16::try_from(10_000 + next % 9_000).unwrap();
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
    panic!("no port between 10000 and 19000 is free");
}

pub(crate) struct Haproxy {
    pub(crate) testers: String,
    child: Child,
    pub(crate) folder: tempfile::TempDir,
}

impl Haproxy {
    /// `servers`: line and address.
    pub(crate) async fn start(servers: &[(&str, String)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let port = free_port();
        let mut config = format!(
            "global\n stats socket {} mode 600 level user\n\
             defaults\n mode http\n timeout connect 1s\n timeout client 5s\n timeout server 5s\n\
             frontend testers\n bind 127.0.0.1:{port}\n\
             \x20http-response set-header x-poolshift-answered-by %s\n default_backend checkout\n\
             backend checkout\n",
            folder.path().join("stats.sock").display()
        );
        for (line, _) in servers {
            config +=
                &format!(" use-server {line} if {{ req.hdr(x-poolshift-server) -m str {line} }}\n");
        }
        for (line, address) in servers {
            config += &format!(" server {line} {address}\n");
        }
        let path = folder.path().join("haproxy.cfg");
        let mut file = std::fs::File::create(&path).unwrap();
        file.write_all(config.as_bytes()).unwrap();
        let testers = format!("http://127.0.0.1:{port}");
        let child = run(&path);
        up(&testers).await;
        Self {
            testers,
            child,
            folder,
        }
    }
}

impl Haproxy {
    /// Where its counters are read.
    pub(crate) fn stats_socket(&self) -> String {
        let path = self.folder.path().join("stats.sock");
        path.display().to_string()
    }

    /// Another process in its place: it counts from zero.
    pub(crate) async fn restart(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        let config = self.folder.path().join("haproxy.cfg");
        self.child = run(&config);
        up(&self.testers).await;
    }
}

fn run(config: &Path) -> Child {
    Command::new("haproxy")
        .arg("-db")
        .arg("-f")
        .arg(config)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

async fn up(testers: &str) {
    let address = testers.trim_start_matches("http://");
    let connect = async {
        while tokio::net::TcpStream::connect(address).await.is_err() {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, connect).await.unwrap();
}

impl Drop for Haproxy {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}
