//! `docs/first-day.md`, command by command, on a real HAProxy, real servers and a real agent.

use crate::document::{Step, steps};
use crate::shell::Shell;
use poolshift_tests::artifact::{Artifact, Place};
use poolshift_tests::fleet::Fleet;
use poolshift_tests::haproxy::ensure_installed;
use poolshift_tests::http::Connection;
use poolshift_tests::ports;
use poolshift_tests::programs::Programs;
use poolshift_tests::shop::Release;
use std::fs;
use std::net::SocketAddr;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{Instant, sleep};

const READY: Duration = Duration::from_secs(60);
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// Where the guide's servers are, in the order of the fleet.
const SERVERS: [&str; 7] = [
    "10.1.0.1:8080",
    "10.1.0.1:8081",
    "10.1.0.1:8082",
    "10.1.1.1:9200",
    "10.1.1.2:9200",
    "10.1.2.1:8443",
    "10.1.2.2:8443",
];

/// What the guide calls its places, and where they are here.
struct Places(Vec<(String, String)>);

impl Places {
    fn here(&self, text: &str) -> String {
        let places = self.0.iter();
        places.fold(text.to_owned(), |text, (from, to)| text.replace(from, to))
    }
}

#[tokio::test]
async fn the_first_day_leads_to_a_rollout_in_ten_commands_that_no_customer_notices() {
    let root = tempfile::tempdir().unwrap();
    let programs = Programs::build().await.unwrap();
    ensure_installed().await.unwrap();
    let old = Release::good("1.0.0");
    let fleet = Fleet::start(&programs.shop, root.path(), SERVERS.len(), &old);
    let fleet = fleet.await.unwrap();
    let artifacts = Place::open().await.unwrap();
    for release in [&old, &Release::good("1.1.0")] {
        artifacts.put(&Artifact::build(release, &[]).unwrap());
    }
    let doors = ports::free(4).unwrap();
    let doors: Vec<SocketAddr> = doors.into_iter().map(local).collect();
    let places = places(root.path(), &fleet, &artifacts, &doors);
    tools(root.path(), &programs);
    let mut shell = shell(root.path(), doors[3]).await;

    let mut commands = 0;
    let mut haproxy = None;
    let mut said = String::new();
    let mut customers = None;
    for step in steps("first-day.md") {
        match step {
            Step::Write { file, text } => {
                write(root.path(), &places.here(&file), &places.here(&text));
                if file.ends_with("haproxy.cfg") {
                    haproxy = Some(Haproxy::start(root.path()));
                    answering(doors[0]).await;
                }
            }
            Step::Command(command) => {
                if command.contains("--watch") {
                    customers = Some(Customers::come(doors[0]));
                }
                commands += 1;
                let (words, code) = shell.type_in(&places.here(&command)).await;
                assert_eq!(code, 0, "{command}: {words}");
                said = words;
                if command.starts_with("poolshift serve") {
                    serving(&mut shell).await;
                }
            }
            Step::See(words) => {
                for words in words {
                    let words = places.here(&words);
                    assert!(said.contains(&words), "no `{words}` in: {said}");
                }
            }
        }
    }
    assert!(haproxy.is_some() && commands <= 10, "{commands} commands");
    let (asked, failed) = customers.unwrap().leave().await;
    assert!(asked > 20 && failed == 0, "{failed} of {asked} failed");
    for server in &fleet.servers[..3] {
        let (_, body) = get(server.address, "/version").await.unwrap();
        assert!(body.contains("1.1.0"), "{} runs {body}", server.name);
    }
}

fn local(port: u16) -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], port))
}

fn places(root: &Path, fleet: &Fleet, artifacts: &Place, doors: &[SocketAddr]) -> Places {
    let mut places: Vec<(String, String)> = vec![];
    let mut place = |from: &str, to: String| places.push((from.to_owned(), to));
    for (from, server) in SERVERS.iter().zip(&fleet.servers) {
        place(from, server.address.to_string());
    }
    // The longer one first: the other is its beginning.
    place("10.0.0.11:8081", doors[1].to_string());
    place("10.0.0.11:80", doors[0].to_string());
    place("10.0.0.11:7400", doors[2].to_string());
    place(
        "https://artifacts.example",
        format!("http://{}", artifacts.address),
    );
    let root = root.display();
    place("/srv/shop", root.to_string());
    for folder in [
        "/etc/haproxy",
        "/run/haproxy",
        "/var/lib/haproxy",
        "/var/lib/poolshift-agent",
    ] {
        place(folder, format!("{root}{folder}"));
    }
    Places(places)
}

/// The programs by their names, and a `systemctl` that knows the shop and HAProxy.
fn tools(root: &Path, programs: &Programs) {
    for folder in ["bin", "run/haproxy", "var/lib/haproxy"] {
        fs::create_dir_all(root.join(folder)).unwrap();
    }
    symlink(&programs.poolshift, root.join("bin/poolshift")).unwrap();
    symlink(&programs.agent, root.join("bin/poolshift-agent")).unwrap();
    let text = format!(
        "#!/bin/sh\ncase \"$1 $2\" in\n'reload haproxy') exec kill -USR2 $(cat {root}/haproxy.pid) ;;\n\
         'restart shop@'*) exec {shop} restart --home {root}/${{2#shop@}} ;;\n*) exit 1 ;;\nesac\n",
        root = root.display(),
        shop = programs.shop.display(),
    );
    write(root, "bin/systemctl", &text);
    let mode = fs::Permissions::from_mode(0o755);
    fs::set_permissions(root.join("bin/systemctl"), mode).unwrap();
}

fn write(root: &Path, file: &str, text: &str) {
    let path = root.join(file);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

/// A shell that finds our programs, and an API that other tests do not use.
async fn shell(root: &Path, api: SocketAddr) -> Shell {
    let path = std::env::var("PATH").unwrap();
    let environment = [
        ("PATH", format!("{}/bin:{path}", root.display())),
        ("POOLSHIFT_SERVER", format!("http://{api}")),
        ("POOLSHIFT__GATEWAY__LOCAL", api.to_string()),
    ];
    Shell::open(root, &environment).await
}

/// A person looks at `poolshift status` before going on.
async fn serving(shell: &mut Shell) {
    let until = Instant::now() + READY;
    loop {
        let (said, code) = shell.type_in("poolshift status production/shop").await;
        if code == 0 && said.matches("online").count() >= 3 {
            return;
        }
        assert!(Instant::now() < until, "{said}");
        sleep(LOOK_EVERY).await;
    }
}

async fn answering(door: SocketAddr) {
    let until = Instant::now() + READY;
    while get(door, "/health")
        .await
        .is_none_or(|(status, _)| status != 200)
    {
        assert!(Instant::now() < until, "HAProxy does not answer at {door}");
        sleep(LOOK_EVERY).await;
    }
}

async fn get(address: SocketAddr, path: &str) -> Option<(u16, String)> {
    let request = format!("GET {path} HTTP/1.1\r\nhost: {address}\r\n\r\n");
    let mut connection = Connection::open(address).await.ok()?;
    let answer = connection.exchange(request.as_bytes()).await.ok()?;
    let body = String::from_utf8_lossy(&answer.body).into_owned();
    Some((answer.status, body))
}

/// HAProxy as a service of the system: it was there before.
struct Haproxy(Child);

impl Haproxy {
    fn start(root: &Path) -> Self {
        let log = fs::File::create(root.join("haproxy.log")).unwrap();
        let mut command = Command::new("haproxy");
        command.args(["-W", "-db", "-f"]);
        command.arg(root.join("etc/haproxy/haproxy.cfg"));
        command
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log);
        let child = command.spawn().unwrap();
        write(root, "haproxy.pid", &child.id().to_string());
        Self(child)
    }
}

impl Drop for Haproxy {
    fn drop(&mut self) {
        // A master that is killed takes its workers with it. It may have ended by itself.
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// Somebody who looks at the shop all the time.
struct Customers {
    leave: watch::Sender<bool>,
    stay: tokio::task::JoinHandle<(u64, u64)>,
}

impl Customers {
    fn come(door: SocketAddr) -> Self {
        let (leave, leaving) = watch::channel(false);
        let stay = tokio::spawn(async move {
            let (mut asked, mut failed) = (0, 0);
            while !*leaving.borrow() {
                asked += 1;
                let answer = get(door, "/health").await;
                failed += u64::from(answer.is_none_or(|(status, _)| status != 200));
                sleep(LOOK_EVERY).await;
            }
            (asked, failed)
        });
        Self { leave, stay }
    }

    async fn leave(self) -> (u64, u64) {
        self.leave.send_replace(true);
        self.stay.await.unwrap()
    }
}
