//! Whom an agent asks for artifacts, and who ever sees its logins.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use events::{Answer, FailedBecause, Fetch, Look, LookAt};

use crate::support::{World, archive, fetch, install};

/// A host that has an artifact at `/a`, sends on from `/to/..`, and remembers what it was asked.
struct Host {
    port: u16,
    heads: Arc<Mutex<Vec<String>>>,
}

impl Host {
    fn open(bytes: Vec<u8>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let heads = Arc::new(Mutex::new(Vec::new()));
        let heard = heads.clone();
        std::thread::spawn(move || {
            for mut stream in listener.incoming().flatten() {
                let mut head = [0; 8192];
                let read = stream.read(&mut head).unwrap_or(0);
                let head = String::from_utf8_lossy(&head[..read]).to_ascii_lowercase();
                let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
                heard.lock().expect("no panic").push(head);
                let answer = match path.strip_prefix("/to/") {
                    Some(to) => {
                        format!("HTTP/1.1 302 Found\r\nlocation: {to}\r\ncontent-length: 0")
                    }
                    None => format!("HTTP/1.1 200 OK\r\ncontent-length: {}", bytes.len()),
                };
                let _sent =
                    stream.write_all(format!("{answer}\r\nconnection: close\r\n\r\n").as_bytes());
                if !path.starts_with("/to/") {
                    let _sent = stream.write_all(&bytes);
                }
            }
        });
        Self { port, heads }
    }

    fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// What it was asked since the last time.
    fn heard(&self) -> Vec<String> {
        std::mem::take(&mut *self.heads.lock().expect("no panic"))
    }
}

fn artifact() -> Vec<u8> {
    archive(&[("VERSION", "1.0", 0o644)])
}

/// An agent with these settings more, and the secret `s3cr3t-t0ken` in a file that `FILE` stands for.
async fn agent_with(settings: &str) -> World {
    let mut world = World::enrolled().await;
    let file = world.path("token");
    std::fs::write(&file, "s3cr3t-t0ken\n").expect("a file");
    world.configure(&settings.replace("FILE", &file.display().to_string()));
    world.start_agent();
    world
}

fn order(world: &World, url: &str) -> Fetch {
    fetch(url, &artifact(), &world.home())
}

async fn fetched(world: &mut World, attempt: u32, url: &str) {
    let order = order(world, url);
    let answer = world.carry_out("fetch", attempt, order).await;
    assert!(matches!(answer, Answer::Fetched(_)), "{answer:?}");
    std::fs::remove_dir_all(world.home().join(".fetch")).expect("a folder");
}

async fn refused(world: &mut World, attempt: u32, url: &str) -> String {
    let order = order(world, url);
    match world.carry_out("fetch", attempt, order).await {
        Answer::FetchFailed(failed) => {
            assert_eq!(failed.failure.reason, FailedBecause::Unreachable);
            failed.failure.detail
        }
        other => panic!("not refused: {other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_goes_to_its_host_and_to_no_other() {
    let (own, other) = (Host::open(artifact()), Host::open(artifact()));
    let settings = format!(
        "[hosts.\"127.0.0.1:{}\"]\nbearer_file = \"FILE\"\nallow_http = true",
        own.port
    );
    let mut world = agent_with(&settings).await;
    fetched(&mut world, 1, &own.url("/a")).await;
    assert!(own.heard()[0].contains("authorization: bearer s3cr3t-t0ken"));

    fetched(&mut world, 2, &other.url("/a")).await;
    assert!(!other.heard()[0].contains("s3cr3t"));

    // A redirect on the same host keeps it.
    fetched(&mut world, 3, &own.url("/to//a")).await;
    let heads = own.heard();
    assert_eq!(heads.len(), 2);
    assert!(heads.iter().all(|head| head.contains("s3cr3t-t0ken")));

    // One to another host does not, and one back does not win it again.
    let back = other.url(&format!("/to/{}", own.url("/a")));
    fetched(&mut world, 4, &own.url(&format!("/to/{}", other.url("/a")))).await;
    fetched(&mut world, 5, &back).await;
    assert!(other.heard().iter().all(|head| !head.contains("s3cr3t")));
    let heads = own.heard();
    assert!(heads[0].contains("s3cr3t-t0ken"), "asked by the command");
    assert!(!heads[1].contains("s3cr3t"), "asked by the other host");
}

#[tokio::test(flavor = "multi_thread")]
async fn logins_by_password_and_by_header_are_sent_and_a_new_secret_counts_at_once() {
    let (basic, header) = (Host::open(artifact()), Host::open(artifact()));
    let settings = format!(
        "[hosts.\"127.0.0.1:{}\"]\nuser = \"ci\"\npassword_file = \"FILE\"\nallow_http = true\n\
         [hosts.\"127.0.0.1:{}\"]\nheader = \"X-Api-Key\"\nvalue_file = \"FILE\"\nallow_http = true",
        basic.port, header.port
    );
    let mut world = agent_with(&settings).await;
    fetched(&mut world, 1, &basic.url("/a")).await;
    // Heads are in lower case here.
    let pair = BASE64.encode("ci:s3cr3t-t0ken").to_ascii_lowercase();
    let head = basic.heard().remove(0);
    assert!(
        head.contains(&format!("authorization: basic {pair}\r\n")),
        "{head}"
    );
    fetched(&mut world, 2, &header.url("/a")).await;
    assert!(header.heard()[0].contains("x-api-key: s3cr3t-t0ken"));
    std::fs::write(world.path("token"), "another\n").expect("a file");
    fetched(&mut world, 3, &header.url("/a")).await;
    assert!(header.heard()[0].contains("x-api-key: another"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_is_not_sent_over_http_unless_that_is_allowed() {
    let own = Host::open(artifact());
    let settings = format!("[hosts.\"127.0.0.1:{}\"]\nbearer_file = \"FILE\"", own.port);
    let mut world = agent_with(&settings).await;
    let why = refused(&mut world, 1, &own.url("/a")).await;
    assert!(why.contains("never sent over http"), "{why}");
    assert!(why.contains("`allow_http = true`"), "{why}");
    assert_eq!(own.heard(), [""; 0], "nobody was asked");
}

#[tokio::test(flavor = "multi_thread")]
async fn only_listed_hosts_are_asked_also_by_way_of_a_redirect() {
    let (listed, other) = (Host::open(artifact()), Host::open(artifact()));
    let settings = format!("artifact_hosts = [\"127.0.0.1:{}\"]", listed.port);
    let mut world = agent_with(&settings).await;
    fetched(&mut world, 1, &listed.url("/a")).await;
    let names_it = format!("127.0.0.1:{} is not among", other.port);
    for (attempt, url) in [
        (2, other.url("/a")),
        (3, listed.url(&format!("/to/{}", other.url("/a")))),
    ] {
        let why = refused(&mut world, attempt, &url).await;
        assert!(why.contains(&names_it), "{why}");
        assert!(why.contains("`artifact_hosts`"), "{why}");
    }
    assert_eq!(other.heard(), [""; 0], "nobody was asked");
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_sent_into_the_machine_s_own_network_or_round_and_round() {
    let host = Host::open(artifact());
    let mut world = World::start().await;
    let own = "http://169.254.169.254/latest/meta-data/iam";
    for (attempt, url) in [(1, own.to_owned()), (2, host.url(&format!("/to/{own}")))] {
        let why = refused(&mut world, attempt, &url).await;
        assert!(why.contains("169.254.169.254 is an address"), "{why}");
    }
    host.heard();
    let why = refused(&mut world, 3, &host.url("/to/?")).await;
    assert!(why.contains("redirects more than 5 times"), "{why}");
    let why = refused(&mut world, 4, &host.url("/to/file:///etc/passwd")).await;
    assert!(why.contains("neither http nor https"), "{why}");
}

#[tokio::test(flavor = "multi_thread")]
async fn secrets_of_logins_are_masked_in_all_that_is_reported() {
    let own = Host::open(artifact());
    let settings = format!(
        "[hosts.\"127.0.0.1:{}\"]\nuser = \"ci\"\npassword_file = \"FILE\"\nallow_http = true",
        own.port
    );
    let mut world = agent_with(&settings).await;
    let mut order = install(&own.url("/a"), &artifact(), &world.home(), "1.0");
    let script = format!(
        "cp current/VERSION running; cat {}; printf ci:s3cr3t-t0ken | base64",
        world.path("token").display()
    );
    order.restart = vec!["sh".to_owned(), "-c".to_owned(), script];
    let Answer::Installed(installed) = world.carry_out("install", 1, order).await else {
        panic!("not installed");
    };
    assert_eq!(installed.output.tail, "***\n***\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_look_asks_as_a_fetch_would_and_says_what_the_settings_forbid() {
    let (listed, other) = (Host::open(artifact()), Host::open(artifact()));
    let settings = format!(
        "artifact_hosts = [\"127.0.0.1:{0}\"]\n\
         [hosts.\"127.0.0.1:{0}\"]\nbearer_file = \"FILE\"\nallow_http = true",
        listed.port
    );
    let world = agent_with(&settings).await;
    world.gateway.change(|known| {
        let urls = vec![listed.url("/a"), other.url("/a")];
        known.look = Some(Look {
            id: "0198d6f0-1c2d-7e3f-8a4b-5c6d7e8f9a0b"
                .parse()
                .expect("an id"),
            at: LookAt {
                urls,
                ..LookAt::default()
            },
        });
    });
    let looked = world
        .gateway
        .until("look", |known| known.looked.first().cloned());
    let urls = looked.await.urls;
    let seen: Vec<_> = urls
        .iter()
        .map(|one| (one.status, one.logged_in, one.forbidden))
        .collect();
    assert_eq!(seen, [(Some(200), true, false), (None, false, true)]);
    let why = urls[1].why.as_deref().unwrap_or_default();
    assert!(why.contains("`artifact_hosts`"), "{why}");
    let heads = listed.heard();
    assert!(heads[0].contains("bearer s3cr3t-t0ken"), "{heads:?}");
    assert_eq!(other.heard(), [""; 0], "nobody was asked");
}
