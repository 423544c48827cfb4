//! The shop's process: what it answers, and how it begins and ends.

use crate::fleet::fleet;
use poolshift_tests::http::Connection;
use poolshift_tests::shop::{self, Behaviour, Home, Order, Release, Settings};
use poolshift_tests::{fleet::Server, ports};
use std::path::Path;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const SOON: Duration = Duration::from_secs(60);

#[tokio::test]
async fn a_restart_runs_the_current_release_in_a_new_process() {
    let root = tempfile::tempdir().unwrap();
    let fleet = fleet(root.path(), 1, &Release::good("1.0.0")).await;
    let web1 = fleet.server("web1").unwrap();
    let before = web1.ask("/version").await.unwrap();
    web1.home.install(&Release::good("1.1.0")).unwrap();
    assert_eq!(
        web1.ask("/version").await.unwrap().pid,
        before.pid,
        "installing restarts nothing"
    );

    fleet.restart(&[web1]).await.unwrap();

    let after = web1.ask("/version").await.unwrap();
    assert_eq!(
        (before.version.as_str(), after.version.as_str()),
        ("1.0.0", "1.1.0")
    );
    assert_ne!(before.pid, after.pid);
    assert!(after.started_at_ms > before.started_at_ms);
    assert_eq!(shop::running(&web1.home).unwrap(), Some(after.pid));
    assert_eq!(web1.home.restarts().unwrap(), ["1.0.0", "1.1.0"]);
}

#[tokio::test]
async fn a_server_whose_home_is_gone_ends() {
    let root = tempfile::tempdir().unwrap();
    let fleet = fleet(root.path(), 1, &Release::good("1.0.0")).await;
    let web1 = fleet.server("web1").unwrap().clone();
    std::fs::remove_dir_all(web1.home.folder()).unwrap();
    let gone = async {
        // Nobody tells that it has ended.
        while web1.ask("/").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(SOON, gone).await.unwrap();
}

#[tokio::test]
async fn everything_is_refused_until_the_release_is_ready() {
    let root = tempfile::tempdir().unwrap();
    let server = lone(
        root.path(),
        &Release::good("1.0.0").behaving(Behaviour::NeverReady),
    );
    shop::restart(program(), &server.home, SOON).await.unwrap();
    for path in ["/", "/version", "/health"] {
        let answer = server.ask(path).await.unwrap();
        assert_eq!(
            answer.refused.as_deref(),
            Some("not ready yet: come again"),
            "{path}"
        );
        assert_eq!(answer.version, "1.0.0");
    }
    shop::stop(&server.home, SOON).await.unwrap();

    server.home.install(&Release::good("1.0.1")).unwrap();
    shop::restart(program(), &server.home, SOON).await.unwrap();
    assert!(
        server.ask("/health").await.unwrap().refused.is_some(),
        "not ready at once"
    );
    let ready = server.ready(SOON).await.unwrap();
    assert!(
        ready.taken_at_ms >= ready.started_at_ms + 490,
        "ready half a second after its start"
    );
    shop::stop(&server.home, SOON).await.unwrap();
}

#[tokio::test]
async fn a_request_in_flight_is_answered_before_the_process_ends() {
    let root = tempfile::tempdir().unwrap();
    let fleet = fleet(root.path(), 1, &Release::good("1.0.0")).await;
    let web1 = fleet.server("web1").unwrap().clone();
    let body = br#"{"lines":[]}"#;
    let mut customer = TcpStream::connect(web1.address).await.unwrap();
    let head = "POST /order HTTP/1.1\r\nhost: shop\r\nexpect: 100-continue\r\n";
    customer
        .write_all(format!("{head}content-length: 12\r\n\r\n").as_bytes())
        .await
        .unwrap();
    let mut heard = vec![0; 64];
    let bytes = customer.read(&mut heard).await.unwrap();
    assert!(
        heard[..bytes].starts_with(b"HTTP/1.1 100 Continue"),
        "the request is taken up"
    );

    let home = web1.home.clone();
    let stop = tokio::spawn(async move { shop::stop(&home, SOON).await });
    while Connection::open(web1.address).await.is_ok() {
        tokio::task::yield_now().await;
    }
    customer.write_all(body).await.unwrap();

    let mut answer = String::new();
    customer.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
    stop.await.unwrap().unwrap();
    assert_eq!(shop::running(&web1.home).unwrap(), None);
}

#[tokio::test]
async fn an_order_is_added_up_and_its_digest_comes_back() {
    let root = tempfile::tempdir().unwrap();
    let bad = Release::good("1.0.0").behaving(Behaviour::Bad);
    let fleet = fleet(root.path(), 2, &Release::good("1.0.0")).await;
    let (good, other) = (&fleet.servers[0], &fleet.servers[1]);
    other.home.install(&bad).unwrap();
    fleet.restart(&[other]).await.unwrap();
    let body = br#"{"lines":[{"price_cents":250,"quantity":3},{"price_cents":5,"quantity":1}]}"#;
    let due = serde_json::from_slice::<Order>(body).unwrap().total_cents();
    for (server, total) in [(good, due), (other, 255)] {
        let answer = order(server, body).await;
        assert_eq!(answer.total_cents, Some(total), "{}", server.name);
        assert_eq!(answer.body_sha256, Some(shop::digest(body)));
    }
    assert_eq!(due, 755);
}

#[tokio::test]
async fn two_processes_never_run_in_one_home() {
    let root = tempfile::tempdir().unwrap();
    let fleet = fleet(root.path(), 1, &Release::good("1.0.0")).await;
    let home = fleet.servers[0].home.folder();
    let second = tokio::process::Command::new(program())
        .args(["serve", "--home"])
        .arg(home)
        .output()
        .await
        .unwrap();
    assert!(!second.status.success());
    let said = String::from_utf8(second.stderr).unwrap();
    assert!(said.contains("a shop runs in"), "{said}");
}

#[tokio::test]
async fn a_start_that_fails_says_why() {
    let root = tempfile::tempdir().unwrap();
    let server = lone(root.path(), &Release::good("1.0.0"));
    let taken = std::net::TcpListener::bind(server.address).unwrap();
    let error = shop::restart(program(), &server.home, SOON)
        .await
        .unwrap_err();
    let said = format!("{error:#}");
    assert!(
        said.contains("ended at once") && said.contains("cannot listen on 127.0.0.1"),
        "{said}"
    );
    drop(taken);

    let release = server.home.folder().join("current/release.toml");
    std::fs::write(release, "version = 1").unwrap();
    let error = shop::restart(program(), &server.home, SOON)
        .await
        .unwrap_err();
    let said = format!("{error:#}");
    assert!(
        said.contains("release.toml is not as it should be"),
        "{said}"
    );
}

fn program() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_shop"))
}

fn lone(root: &Path, release: &Release) -> Server {
    let address = ([127, 0, 0, 1], ports::free(1).unwrap()[0]).into();
    let settings = Settings {
        name: "web1".to_owned(),
        listen: address,
        access_log: None,
    };
    let home = Home::create(&root.join("web1"), &settings).unwrap();
    home.install(release).unwrap();
    Server {
        name: settings.name,
        address,
        home,
    }
}

async fn order(server: &Server, body: &[u8]) -> shop::Answer {
    let head = format!(
        "POST /order HTTP/1.1\r\nhost: shop\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    let request = [head.as_bytes(), body].concat();
    let response = Connection::open(server.address)
        .await
        .unwrap()
        .exchange(&request)
        .await
        .unwrap();
    assert_eq!(response.status, 200);
    serde_json::from_slice(&response.body).unwrap()
}
