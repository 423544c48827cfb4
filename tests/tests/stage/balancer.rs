//! HAProxy as the stage runs it: who is held out stays out, as long as its state was saved.

use crate::fleet::fleet;
use poolshift_tests::fleet::Fleet;
use poolshift_tests::haproxy::{ANSWERED_BY, Haproxy, Layout, ensure_installed};
use poolshift_tests::http::Connection;
use poolshift_tests::ports;
use poolshift_tests::shop::Release;
use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

#[tokio::test]
async fn a_held_server_stays_out_over_kill_and_reload_if_its_state_was_saved() {
    let root = tempfile::tempdir().unwrap();
    let fleet = fleet(root.path(), 2, &Release::good("1.0.0")).await;
    let mut balancer = balancer(root.path(), &fleet, true).await;
    assert_eq!(
        served_by(balancer.layout.customers).await,
        names(&["web1", "web2"])
    );

    balancer
        .admin("set server shop/web1 state maint")
        .await
        .unwrap();
    balancer.save_state().await.unwrap();
    balancer.kill().await.unwrap();
    balancer.start_again().await.unwrap();
    assert_eq!(
        served_by(balancer.layout.customers).await,
        names(&["web2"]),
        "after kill -9"
    );

    balancer.reload().await.unwrap();
    assert_eq!(
        served_by(balancer.layout.customers).await,
        names(&["web2"]),
        "after a reload"
    );
}

#[tokio::test]
async fn without_the_state_file_a_restart_puts_a_held_server_back() {
    let root = tempfile::tempdir().unwrap();
    let fleet = fleet(root.path(), 2, &Release::good("1.0.0")).await;
    let mut balancer = balancer(root.path(), &fleet, false).await;
    balancer
        .admin("set server shop/web1 state maint")
        .await
        .unwrap();
    balancer.save_state().await.unwrap();
    assert_eq!(served_by(balancer.layout.customers).await, names(&["web2"]));
    balancer.stop().await.unwrap();
    balancer.start_again().await.unwrap();
    assert_eq!(
        served_by(balancer.layout.customers).await,
        names(&["web1", "web2"])
    );
}

#[tokio::test]
async fn testers_reach_the_server_they_name_while_customers_do_not() {
    let root = tempfile::tempdir().unwrap();
    let fleet = fleet(root.path(), 3, &Release::good("1.0.0")).await;
    let balancer = balancer(root.path(), &fleet, true).await;
    assert_eq!(
        status(balancer.layout.testers, "web2").await,
        (503, None),
        "disabled at start"
    );
    for command in ["shop/web2 state maint", "shop_maintenance/web2 state ready"] {
        assert_eq!(
            balancer
                .admin(&format!("set server {command}"))
                .await
                .unwrap(),
            ""
        );
    }
    let web2 = Some("web2".to_owned());
    assert_eq!(status(balancer.layout.testers, "web2").await, (200, web2));
    assert_eq!(
        served_by(balancer.layout.customers).await,
        names(&["web1", "web3"])
    );
}

#[tokio::test]
async fn an_installed_haproxy_is_found_and_new_enough() {
    let version = ensure_installed().await.unwrap();
    assert!(
        version.starts_with(|first: char| first.is_ascii_digit()),
        "{version}"
    );
}

async fn balancer(root: &Path, fleet: &Fleet, loads_state: bool) -> Haproxy {
    let doors = ports::free(2).unwrap();
    let layout = Layout::new("lb1", root, [doors[0], doors[1]], &fleet.servers);
    Haproxy::start(Layout {
        loads_state,
        ..layout
    })
    .await
    .unwrap()
}

/// Who answers twelve customers in a row: in round robin each server would come at least twice.
async fn served_by(door: SocketAddr) -> BTreeSet<String> {
    let mut served = BTreeSet::new();
    for _ in 0..12 {
        served.extend(status(door, "nobody").await.1);
    }
    served
}

async fn status(door: SocketAddr, server: &str) -> (u16, Option<String>) {
    let request = format!("GET / HTTP/1.1\r\nhost: shop\r\nx-poolshift-server: {server}\r\n\r\n");
    let ask = async {
        Connection::open(door)
            .await
            .unwrap()
            .exchange(request.as_bytes())
            .await
            .unwrap()
    };
    let response = tokio::time::timeout(Duration::from_secs(30), ask)
        .await
        .unwrap();
    (
        response.status,
        response.header(ANSWERED_BY).map(str::to_owned),
    )
}

fn names(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|&name| name.to_owned()).collect()
}
