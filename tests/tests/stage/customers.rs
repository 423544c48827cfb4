//! The customers' count: what it must find, and what it must not make up.

use crate::fleet::fleet;
use poolshift_tests::clock::now_ms;
use poolshift_tests::customers::{Answered, Customers, HeldOut, Load, Tally};
use poolshift_tests::fleet::Fleet;
use poolshift_tests::haproxy::{Haproxy, Layout};
use poolshift_tests::ports;
use poolshift_tests::shop::Release;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

const SOON: Duration = Duration::from_secs(60);

#[tokio::test]
async fn a_shop_that_is_left_alone_fails_nobody_and_half_of_them_order() {
    let root = tempfile::tempdir().unwrap();
    let fleet = fleet(root.path(), 1, &Release::good("1.0.0")).await;
    // Without a balancer nobody says who answered, which is a failure of its own: see below.
    let tally = visit(fleet.servers[0].address, 400).await;
    assert_eq!(tally.posts, tally.requests / 2);
    assert_eq!(tally.answers_of("1.0.0"), tally.requests);
    let reasons: Vec<String> = tally.reasons.keys().map(ToString::to_string).collect();
    assert_eq!(reasons, ["another server answered than the balancer says"]);
}

#[tokio::test]
async fn a_server_restarted_behind_a_drain_fails_nobody_and_serves_nobody_meanwhile() {
    let root = tempfile::tempdir().unwrap();
    let fleet = fleet(root.path(), 2, &Release::good("1.0.0")).await;
    let balancer = balancer(root.path(), &fleet).await;
    let web1 = fleet.server("web1").unwrap();
    let customers = Customers::start(Load::through(vec![balancer.layout.customers])).unwrap();
    let started_ms = now_ms();
    served(&customers, 200).await;

    balancer
        .admin("set server shop/web1 state maint")
        .await
        .unwrap();
    while running_at(&balancer, "web1").await > 0 {
        tokio::task::yield_now().await;
    }
    let drained_ms = now_ms();
    web1.home.install(&Release::good("1.1.0")).unwrap();
    fleet.restart(&[web1]).await.unwrap();
    balancer.all_up(SOON).await.unwrap();
    let restore_ms = now_ms();
    balancer
        .admin("set server shop/web1 state ready")
        .await
        .unwrap();
    served(&customers, 200).await;

    let tally = customers.stop().await.unwrap();
    assert_eq!(tally.first_failures, Vec::<String>::new());
    assert!(tally.answers_of("1.1.0") > 0, "it serves again");
    let held = |from_ms, to_ms| HeldOut {
        server: "web1".to_owned(),
        from_ms,
        to_ms,
    };
    assert_eq!(tally.held_out_requests(&[held(drained_ms, restore_ms)]), 0);
    assert!(
        tally.held_out_requests(&[held(started_ms, restore_ms)]) > 0,
        "before it was drained"
    );
}

#[tokio::test]
async fn a_reload_of_the_balancer_fails_nobody() {
    let root = tempfile::tempdir().unwrap();
    let fleet = fleet(root.path(), 2, &Release::good("1.0.0")).await;
    let balancer = balancer(root.path(), &fleet).await;
    let customers = Customers::start(Load::through(vec![balancer.layout.customers])).unwrap();
    for _ in 1..=3 {
        served(&customers, 200).await;
        balancer.reload().await.unwrap();
    }
    let tally = customers.stop().await.unwrap();
    assert_eq!(tally.first_failures, Vec::<String>::new());
    assert_eq!(tally.answers_of("1.0.0"), tally.requests);
}

#[tokio::test]
async fn a_request_cut_in_flight_is_a_failure_and_is_never_sent_again() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let door = listener.local_addr().unwrap();
    let (seen, mut numbers) = tokio::sync::mpsc::unbounded_channel();
    let host = tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let seen = seen.clone();
            tokio::spawn(async move { cut_every_third(stream, seen).await });
        }
    });
    let tally = visit(door, 300).await;
    host.abort();

    let mut times = BTreeMap::<String, u64>::new();
    while let Ok(number) = numbers.try_recv() {
        *times.entry(number).or_default() += 1;
    }
    assert_eq!(times.len() as u64, tally.requests, "every request arrived");
    assert!(
        times.values().all(|&sent| sent == 1),
        "and each of them once"
    );
    let cut = times.keys().filter(|number| is_cut(number)).count() as u64;
    assert!(cut > 50);
    assert_eq!(tally.failed, cut, "{:?}", tally.reasons);
    let reasons: Vec<String> = tally.reasons.keys().map(ToString::to_string).collect();
    assert_eq!(reasons, ["connection closed without an answer"]);
}

#[tokio::test]
async fn a_shop_that_stands_still_slows_no_arrivals() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let door = listener.local_addr().unwrap();
    // Accepts nothing: the system completes the connections, nobody ever answers.
    let load = Load {
        per_second: 200,
        patience: Duration::from_millis(500),
        doors: vec![door],
    };
    let began = Instant::now();
    let customers = Customers::start(load).unwrap();
    // The first of them give up while the others still come.
    served(&customers, 20).await;
    let due = began.elapsed().as_millis() * 200 / 1_000;
    let tally = customers.stop().await.unwrap();
    drop(listener);
    let came = u128::from(tally.requests);
    assert!(
        due >= 100 && (due - 20..=due + 20).contains(&came),
        "{came} came, {due} were due"
    );
    assert_eq!(tally.failed, tally.requests);
    assert!(
        tally.late(500) < Duration::from_millis(50),
        "late by {:?}",
        tally.late(500)
    );
}

#[test]
fn a_request_taken_up_between_drained_and_restore_is_counted_and_no_other() {
    let answered = |server: &str, taken_ms| Answered {
        sent_ms: taken_ms - 1,
        taken_ms,
        done_ms: taken_ms + 1,
        status: 200,
        server: server.into(),
        version: "1.0.0".into(),
    };
    let taken = [
        ("web1", 100),
        ("web1", 101),
        ("web1", 199),
        ("web1", 200),
        ("web2", 150),
    ];
    let mut tally = Tally::default();
    tally.answers = taken.map(|(server, at)| answered(server, at)).to_vec();
    let held = HeldOut {
        server: "web1".to_owned(),
        from_ms: 100,
        to_ms: 200,
    };
    assert_eq!(tally.held_out_requests(&[held.clone(), held]), 2);
    assert_eq!(tally.held_out_requests(&[]), 0);
}

async fn balancer(root: &Path, fleet: &Fleet) -> Haproxy {
    let doors = ports::free(2).unwrap();
    let layout = Layout::new("lb1", root, [doors[0], doors[1]], &fleet.servers);
    Haproxy::start(layout).await.unwrap()
}

/// Requests queued or running at a server of the online pool.
async fn running_at(balancer: &Haproxy, server: &str) -> u64 {
    let stat = balancer.admin("show stat").await.unwrap();
    let row = stat
        .lines()
        .find(|line| line.starts_with(&format!("shop,{server},")))
        .unwrap();
    let columns: Vec<&str> = row.split(',').collect();
    columns[2].parse::<u64>().unwrap() + columns[4].parse::<u64>().unwrap()
}

/// Waits until so many more customers have been there.
async fn served(customers: &Customers, more: u64) {
    let mut progress = customers.progress();
    let enough = progress.borrow().requests + more;
    let come = progress.wait_for(|now| now.requests >= enough);
    tokio::time::timeout(SOON, come).await.unwrap().unwrap();
}

async fn visit(door: SocketAddr, at_least: u64) -> Tally {
    let customers = Customers::start(Load::through(vec![door])).unwrap();
    served(&customers, at_least).await;
    customers.stop().await.unwrap()
}

/// Serves one connection like a balancer with one server would, but closes it instead of answering
/// each third request.
async fn cut_every_third(mut stream: TcpStream, seen: tokio::sync::mpsc::UnboundedSender<String>) {
    let mut buffer = Vec::new();
    loop {
        let Some((number, digest, bytes)) = whole_request(&buffer) else {
            if stream.read_buf(&mut buffer).await.unwrap_or(0) == 0 {
                return;
            }
            continue;
        };
        buffer.drain(..bytes);
        let cut = is_cut(&number);
        seen.send(number).unwrap();
        if cut {
            return;
        }
        let body = format!(
            r#"{{"server":"web1","version":"1","pid":1,"started_at_ms":1,"taken_at_ms":2{digest}}}"#
        );
        let head = "x-poolshift-answered-by: web1\r\nx-shop-version: 1\r\n";
        let length = body.len();
        let answer = format!("HTTP/1.1 200 OK\r\n{head}content-length: {length}\r\n\r\n{body}");
        stream.write_all(answer.as_bytes()).await.unwrap();
    }
}

fn is_cut(number: &str) -> bool {
    number.parse::<u64>().unwrap().is_multiple_of(3)
}

/// Number of the request, what of the answer goes with its body, and its length in bytes.
fn whole_request(buffer: &[u8]) -> Option<(String, String, usize)> {
    let text = std::str::from_utf8(buffer).unwrap();
    let (head, rest) = text.split_once("\r\n\r\n")?;
    let value = |name: &str| head.lines().find_map(|line| line.strip_prefix(name));
    let number = value("x-request-id: ").unwrap().to_owned();
    let Some(length) = value("content-length: ") else {
        return Some((number, String::new(), head.len() + 4));
    };
    let length: usize = length.parse().unwrap();
    let body = rest.as_bytes().get(..length)?;
    let digest = poolshift_tests::shop::digest(body);
    Some((
        number,
        format!(r#","body_sha256":"{digest}""#),
        head.len() + 4 + length,
    ))
}
